/** Something loaded from the API while a component is shown: its value, whether it is under way, what went wrong. */
import { untrack } from "svelte";

import { asProblem, type Problem } from "./problem";

export class Resource<T> {
  /** What was loaded last; it stays while it is loaded anew. */
  value = $state.raw<T | undefined>(undefined);
  problem = $state.raw<Problem | null>(null);
  loading = $state(true);
  #again = $state(0);

  /** Load once more, with what the loader reads now. */
  reload = (): void => {
    untrack(() => (this.#again += 1)); // or an effect that reloads would run again for having done so
  };

  /**
   * To be made while a component is set up. The loader runs again whenever state that it reads (before its first await) changes;
   * an answer that was overtaken is dropped.
   *
   * @param every milliseconds after which it is loaded again while the page is visible; none by default.
   */
  constructor(load: (signal: AbortSignal) => Promise<T>, every?: () => number | undefined) {
    $effect(() => {
      void this.#again;
      const abort = new AbortController();
      this.loading = true;
      this.#run(load, abort.signal);
      return () => abort.abort();
    });
    $effect(() => {
      const wait = every?.();
      if (!wait) return;
      const timer = setInterval(() => document.visibilityState === "visible" && this.reload(), wait);
      return () => clearInterval(timer);
    });
  }

  async #run(load: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<void> {
    try {
      const found = await load(signal);
      if (signal.aborted) return;
      this.value = found;
      this.problem = null;
    } catch (thrown) {
      if (signal.aborted) return;
      this.problem = asProblem(thrown);
    }
    this.loading = false;
  }
}

/** A value, or what kept it from coming: for pages of several parts, each of which may fail by itself. */
export type Settled<T> = { value: T; problem: null } | { value: null; problem: Problem };

export async function settled<T>(asked: Promise<T>): Promise<Settled<T>> {
  try {
    return { value: await asked, problem: null };
  } catch (thrown) {
    return { value: null, problem: asProblem(thrown) };
  }
}
