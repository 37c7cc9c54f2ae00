/** A recipe as the builder chooses it: read from the address, told as JSON, TOML, Python and curl. */
import type { Schema } from "../../api/client";

export type Recipe = Partial<Schema<"RecipeRequest">> & { name: string };

/** What is chosen, by the names that it has in the address. Text, because that is what an address holds. */
export type Chosen = (name: string) => string;
export type ChosenAll = (name: string) => string[];

export const BLOCKS = [
  { name: "numbers", title: "Numbers", means: "duration, popularity, position, year; and whether each was missing" },
  { name: "audio", title: "Audio features", means: "energy, valence, tempo, key …" },
  { name: "genres", title: "Genres", means: "0 or 1 for each frequent genre" },
  { name: "moods", title: "Moods", means: "0 or 1 for each frequent mood" },
  { name: "flag", title: "Explicit", means: "whether the lyrics are" },
  { name: "terms-genres", title: "Genres as a vector", means: "TF-IDF and SVD" },
  { name: "terms-title", title: "Title as a vector", means: "TF-IDF and SVD over words" },
  { name: "title_form", title: "Form of the title", means: "length, live, remix, remaster, feat." },
  { name: "times", title: "Age", means: "decade, age in years on the data set's day" },
  { name: "artist_figures", title: "Artist", means: "medians over the artist's training tracks" },
] as const;
export type Block = (typeof BLOCKS)[number]["name"];
export const USUAL: readonly Block[] = ["numbers", "audio", "genres", "moods", "flag"];

export const SPLITS = [
  { name: "artist", means: "no artist in two parts" },
  { name: "album", means: "no album in two parts" },
  { name: "recording", means: "no recording in two parts" },
  { name: "time", means: "parts follow each other in time" },
  { name: "random", means: "nothing is kept apart: scores will be too good" },
] as const;

export const SHARES = ["80/10/10", "70/15/15", "80/20", "60/20/20", "50/50"] as const;
const PARTS = { 2: ["train", "test"], 3: ["train", "validation", "test"] } as const;

const whole = (text: string): number | undefined => (/^-?\d+$/.test(text) ? Number(text) : undefined);
const real = (text: string): number | undefined => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined);

/** The recipe that an address chooses; what is left out there is left out here. */
export function recipeOf(get: Chosen, all: ChosenAll): Recipe {
  const filter: Record<string, unknown> = {
    genres: all("genre").length ? all("genre") : undefined,
    moods: all("mood").length ? all("mood") : undefined,
    artist: get("artist") || undefined,
    q: get("q") || undefined,
    year_from: whole(get("year_from")),
    year_to: whole(get("year_to")),
    min_popularity: whole(get("min_popularity")),
    max_popularity: whole(get("max_popularity")),
    tempo_from: real(get("tempo_from")),
    tempo_to: real(get("tempo_to")),
    explicit: get("explicit") ? get("explicit") === "yes" : undefined,
    rights: get("rights") || "any",
    estimates: get("measured") ? false : undefined,
    one_per_recording: get("once") ? true : undefined,
    synthetic: get("real") ? false : undefined,
  };
  return {
    name: get("name") || "songs",
    ...(get("target") ? { target: get("target") } : {}),
    min_features: whole(get("known")) ?? 3,
    ...(get("unlabelled") ? { keep_unlabelled: true } : {}),
    naive_gain: Boolean(get("target")) && !get("quick"),
    filter: withoutUndefined(filter),
    split: splitOf(get),
    features: blocksOf(all).map((block) => featuresOf(block, get)),
  };
}

/** The blocks that are chosen, in the order that they are offered in. */
export function blocksOf(all: ChosenAll): Block[] {
  const chosen = all("block");
  return chosen.length ? BLOCKS.map((block) => block.name).filter((name) => chosen.includes(name)) : [...USUAL];
}

function splitOf(get: Chosen): Record<string, unknown> {
  const kind = get("split") || "artist";
  const shares = (get("shares") || SHARES[0]).split("/").map((share) => Number(share) / 100);
  const names = PARTS[shares.length as 2 | 3] ?? PARTS[3];
  const parts = Object.fromEntries(shares.map((share, at) => [names[at] ?? `part_${at}`, share]));
  return { kind, parts, seed: whole(get("seed")) ?? 0, ...(get("balanced") && kind !== "time" ? { balanced: true } : {}) };
}

function featuresOf(block: Block, get: Chosen): Record<string, unknown> {
  const scale = get("scale") ? { scale: "robust" } : {};
  const dimensions = whole(get("dimensions")) ?? 32;
  switch (block) {
    case "numbers":
      return { kind: "numbers", ...scale };
    case "audio":
      return { kind: "audio", ...(get("tempo") ? { tempo: "folded" } : {}), ...(get("key") ? { key: "fifths" } : {}), ...scale };
    case "genres":
      return { kind: "multi_hot", field: "genres", most: whole(get("genres")) ?? 50 };
    case "moods":
      return { kind: "multi_hot", field: "moods", most: whole(get("moods")) ?? 30 };
    case "terms-genres":
      return { kind: "terms", field: "genres", dimensions };
    case "terms-title":
      return { kind: "terms", field: "title", dimensions };
    default:
      return { kind: block };
  }
}

function withoutUndefined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
