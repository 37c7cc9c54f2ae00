/** What is selected, as the address says it and as the API takes it. */
import { route, setQuery } from "../../app/router.svelte";

export const RANGES = ["year", "popularity", "user", "critic"] as const;
export type RangeName = (typeof RANGES)[number];
/** From a value up to, not with, another; of years with it. */
export type Range = readonly [number, number];

export const FEATURES = ["energy", "danceability", "valence", "acousticness", "instrumentalness", "liveness", "speechiness", "loudness", "tempo"] as const;
export type Feature = (typeof FEATURES)[number];

export const range = (name: RangeName): Range | null => {
  const found = /^(\d{1,4})-(\d{1,4})$/.exec(route.get(name));
  return found && +found[1]! <= +found[2]! ? [+found[1]!, +found[2]!] : null;
};
export const chosen = (name: "genre" | "mood"): string[] => route.all(name);
export const feature = (): Feature => FEATURES.find((one) => one === route.get("feature")) ?? "energy";

export const setRange = (name: RangeName, value: Range | null): void => setQuery({ [name]: value ? `${value[0]}-${value[1]}` : null });
export function toggle(name: "genre" | "mood", tag: string): void {
  const now = chosen(name);
  setQuery({ [name]: now.includes(tag) ? now.filter((one) => one !== tag) : [...now, tag] });
}
export const clear = (): void => setQuery({ genre: null, mood: null, year: null, popularity: null, user: null, critic: null, q: null, artist: null });

// Scores have decimals: just below the next bin is still in this one. 100 belongs to the last.
const below = (end: number, step: number): number => (end >= 100 ? 100 : end - step);

/** As `GET /ml/analytics/facets` takes it. */
export function asQuery() {
  const [year, popularity, user, critic] = RANGES.map(range);
  return {
    genre: chosen("genre"),
    mood: chosen("mood"),
    q: route.get("q") || undefined,
    artist: route.get("artist") || undefined,
    year_from: year?.[0],
    year_to: year?.[1],
    min_popularity: popularity?.[0],
    max_popularity: popularity ? below(popularity[1], 1) : undefined,
    min_user_score: user?.[0],
    max_user_score: user ? below(user[1], 0.01) : undefined,
    min_critic_score: critic?.[0],
    max_critic_score: critic ? below(critic[1], 0.01) : undefined,
  };
}

export interface Chip {
  name: string;
  value: string;
  off: () => void;
}

/** Everything that is selected, each with what takes it off. */
export function chips(): Chip[] {
  const names = { year: "years", popularity: "popularity", user: "listeners’ score", critic: "critics’ score" };
  return [
    ...chosen("genre").map((value) => ({ name: "genre", value, off: () => toggle("genre", value) })),
    ...chosen("mood").map((value) => ({ name: "mood", value, off: () => toggle("mood", value) })),
    ...RANGES.flatMap((name) => {
      const found = range(name);
      return found ? [{ name: names[name], value: found[0] === found[1] ? `${found[0]}` : `${found[0]} to ${found[1]}`, off: () => setRange(name, null) }] : [];
    }),
    ...(["artist", "q"] as const).flatMap((name) => (route.get(name) ? [{ name: name === "q" ? "contains" : name, value: route.get(name), off: () => setQuery({ [name]: null }) }] : [])),
  ];
}
