/** Listeners: by their own history, or by their name where their plays are public. */
import { get, type Schema } from "../../api/client";

export type Source = "history" | "lastfm" | "listenbrainz";
export interface Who {
  name: string;
  source: Source;
}
export const SOURCES: Readonly<Record<Source, string>> = { history: "own history", lastfm: "Last.fm", listenbrainz: "ListenBrainz" };
export const isSource = (text: string): text is Source => text in SOURCES;

type Public = "lastfm" | "listenbrainz";

export const profileOf = (who: Who, by: "year" | "quarter", signal: AbortSignal): Promise<Schema<"Profile">> =>
  who.source === "history"
    ? get("/listeners/{name}/profile", { path: { name: who.name }, query: { by }, signal })
    : get("/users/{name}/profile", { path: { name: who.name }, query: { source: who.source }, signal });

type Recommended = ReturnType<typeof recommended>;
const recommended = (name: string, k: number, signal: AbortSignal) => get("/listeners/{name}/recommendations", { path: { name }, query: { k }, signal });

export const recommendationsFor = (who: Who, k: number, signal: AbortSignal): Recommended =>
  who.source === "history"
    ? recommended(who.name, k, signal)
    : get("/users/{name}/recommendations", { path: { name: who.name }, query: { source: who.source, k }, signal });

export const wantedBy = (who: Who, limit: number, signal: AbortSignal): Promise<Schema<"Lacking">> =>
  who.source === "history"
    ? get("/listeners/{name}/wanted", { path: { name: who.name }, query: { limit }, signal })
    : get("/users/{name}/wanted", { path: { name: who.name }, query: { source: who.source, limit }, signal });

/** Histories need the key where there is one, so a history is always the one that asks. */
export function comparison(one: Who, other: Who, signal: AbortSignal): Promise<Schema<"Comparison">> {
  if (one.source === "history") {
    return get("/listeners/{name}/compare/{other}", { path: { name: one.name, other: other.name }, query: { other_source: other.source }, signal });
  }
  return get("/users/{name}/compare/{other}", {
    path: { name: one.name, other: other.name },
    query: { source: one.source, other_source: other.source as Public },
    signal,
  });
}
