/** What a dropped file may be, and reading a list of albums out of one. */
import { post } from "../../api/client";
import { list } from "./list.svelte";

export const FORMS = {
  list: "a list of albums to ingest",
  aoty: "a page or table of scores of Album of the Year",
  table: "a table of tracks, albums or tags",
  history: "a listening history",
} as const;
export type Form = keyof typeof FORMS;

/** The likeliest form, by the name alone; the person says what it is. */
export function guess(name: string): Form {
  if (/\.html?$/i.test(name)) return "aoty";
  if (/\.(zip|json)$/i.test(name) || /(streaming|listen|scrobble|history|endsong)/i.test(name)) return "history";
  if (/\.(parquet|ndjson|jsonl|gz|zst)$/i.test(name)) return "table";
  return "list";
}

/** Add a CSV list, read by the server as its command line reads it; what happened, in words. */
export async function addList(file: Blob): Promise<string> {
  const found = await post("/ml/ingest/list", { body: file.slice(0, file.size, "text/csv") });
  const added = list.add(found.albums.map(([album = "", artist = ""]) => ({ album, artist })));
  const known = found.albums.length - added + found.repeated;
  return `${added.toLocaleString("en-GB")} added${known ? `, ${known.toLocaleString("en-GB")} were in the list already` : ""}`;
}
