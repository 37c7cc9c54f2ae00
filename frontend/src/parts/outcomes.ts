/** What can become of an album or a source's answer: in which order it is shown, in which colour, and what it means. */
export interface Kind {
  name: string;
  tone: string;
  means: string;
}

export const KINDS: readonly Kind[] = [
  { name: "complete", tone: "good", means: "every source that is set up has answered" },
  { name: "ok", tone: "good", means: "gave what it has" },
  { name: "partial", tone: "cat-4", means: "stored, but a source could not be asked" },
  { name: "ambiguous", tone: "cat-5", means: "several albums fit; you decide" },
  { name: "not_found", tone: "cat-7", means: "no source knows it" },
  { name: "throttled", tone: "cat-6", means: "a source asks to wait" },
  { name: "blocked", tone: "bad", means: "a source keeps us out" },
  { name: "failed", tone: "bad", means: "something broke" },
  { name: "unconfigured", tone: "strong-line", means: "not set up" },
  { name: "cancelled", tone: "strong-line", means: "called off" },
  { name: "running", tone: "accent", means: "being asked for" },
  { name: "waiting", tone: "cat-2", means: "stored as far as it is known; a source is asked again later" },
  { name: "queued", tone: "line", means: "not begun" },
];

export const RETRIED = ["partial", "blocked", "throttled", "failed", "cancelled"] as const;

export const kindOf = (name: string): Kind => KINDS.find((kind) => kind.name === name) ?? { name, tone: "strong-line", means: "" };

/** The kinds that there are any of, in order. */
export function counted(counts: Readonly<Record<string, number>>): { kind: Kind; n: number }[] {
  return KINDS.flatMap((kind) => (counts[kind.name] ? [{ kind, n: counts[kind.name]! }] : []));
}
