/** Following a job by server-sent events. */
import type { Schema } from "./client";

export type Progress = Schema<"ProgressEvent">;

/**
 * Tell of every change of a job until it has ended.
 *
 * The browser asks again by itself when the connection breaks; the job then stands as it is, nothing is missed.
 *
 * @returns what stops it.
 */
export function follow(job: string, told: (progress: Progress, ended: boolean) => void): () => void {
  const source = new EventSource(`/ml/jobs/${encodeURIComponent(job)}/events`);
  const read = (event: Event): Progress => JSON.parse((event as MessageEvent<string>).data) as Progress;
  source.addEventListener("progress", (event) => told(read(event), false));
  source.addEventListener("done", (event) => {
    source.close();
    told(read(event), true);
  });
  return () => source.close();
}
