/** Files of a data set. */
import { fetched } from "../../api/client";

/** A JSON file that a data set holds, by its path. */
export async function fileOf<T>(named: string, path: string, signal?: AbortSignal): Promise<T> {
  const answer = await fetched("GET", `/ml/datasets/${encodeURIComponent(named)}/files/${path}`, { accept: "*/*", signal });
  return (await answer.json()) as T;
}
