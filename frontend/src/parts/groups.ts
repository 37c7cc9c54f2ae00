/** The groups of features that likeness is made of, always in the same order and so in the same colours; wishes come after them. */
const GROUPS = ["audio", "genres", "moods", "year", "popularity", "listening", "artist", "album"] as const;
const NAMES: Record<string, string> = { audio: "sound", year: "time", commonness: "not near to everything" };

type Contributions = Readonly<Record<string, number>>;

/** All names that some answers' contributions have, in the order of their colours. */
export function named(all: readonly Contributions[]): string[] {
  const others = new Set(all.flatMap((one) => Object.keys(one)).filter((name) => !(GROUPS as readonly string[]).includes(name)));
  // What is only taken off has no place in the line and needs no colour.
  const added = [...others].sort((a, b) => Number(isAdded(all, b)) - Number(isAdded(all, a)));
  return all.some((one) => GROUPS.some((group) => one[group])) ? [...GROUPS, ...added] : added;
}

/** What each of these names adds to one answer's score, the absent ones as nothing. */
export function shares(contributions: Contributions, names: readonly string[]): { name: string; share: number; tone: string }[] {
  return names.map((name, at) => ({ name: NAMES[name] ?? name, share: contributions[name] ?? 0, tone: tone(name, at) }));
}

/** Those that add to some answer, with their colour. */
export function legend(all: readonly Contributions[], names: readonly string[]): { name: string; tone: string }[] {
  return names.flatMap((name, at) => (isAdded(all, name) ? [{ name: NAMES[name] ?? name, tone: tone(name, at) }] : []));
}

const tone = (name: string, at: number): string => (name === "commonness" ? "strong-line" : `cat-${(at % 8) + 1}`);
const isAdded = (all: readonly Contributions[], name: string): boolean => all.some((one) => (one[name] ?? 0) > 0);
