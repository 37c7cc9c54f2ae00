/** What the map shows now: points, colours, the selected track, the lasso; and the same in the address. */
import { untrack } from "svelte";

import { asProblem, get, Problem, type Schema } from "../../api/client";
import { route, setQuery } from "../../app/router.svelte";
import { COLUMNS, type Column, type Coloured, loadColumn, loadPoints, type Points } from "./points";
import { entries } from "./palette";
import type { Place } from "./view";

export type Track = Schema<"MapTrack">;
export type Tracks = Schema<"MapTracks">;

/** Which tracks, as `/ml/map/tracks` is asked for them. */
export type Meant = { box: string } | { polygon: string };

export class Session {
  points = $state.raw<Points | null>(null);
  coloured = $state.raw<Coloured | null>(null);
  labels = $state.raw<Schema<"MapLabels">["data"]>([]);
  problem = $state.raw<Problem | null>(null);
  /** The share that is done of a map that is being drawn; null when none is. */
  drawing = $state<number | null>(null);
  selected = $state.raw<Track | null>(null);
  column = $derived<Column>(COLUMNS.find((name) => name === route.get("by")) ?? "genre");
  hidden = $derived(new Set(route.all("off")));
  line = $derived<Place[]>(placesOf(route.get("line")));
  #again = $state(0);

  constructor() {
    $effect(() => {
      void this.#again;
      return this.#during(async (signal) => {
        const points = await loadPoints(signal, (done) => (this.drawing = done));
        this.drawing = null;
        this.points = points;
        this.labels = (await get("/ml/map/labels", { signal })).data;
      });
    });
    $effect(() => {
      const { points, column } = this;
      if (!points) return;
      return this.#during(async (signal) => void (this.coloured = await loadColumn(column, points.version, signal)));
    });
    $effect(() => {
      const id = route.get("at");
      if (!this.points) return;
      if (!id) {
        this.selected = null;
        return;
      }
      if (this.selected?.id === id && this.selected) return;
      return this.#during(async (signal) => {
        this.selected = (await get("/ml/map/tracks", { query: { id: [id] }, signal })).data[0] ?? null;
      });
    });
  }

  reload = (): void => {
    this.problem = null;
    this.#again = untrack(() => this.#again) + 1; // also called by effects, which must not run again for it
  };

  /** Codes of the classes that are shown; null where all are. */
  shown = (): { column: Column; code: number[] } | null => {
    const legend = this.coloured?.legend;
    if (!legend || legend.kind !== "class" || !this.hidden.size) return null;
    return { column: this.column, code: entries(legend).filter((one) => !this.hidden.has(one.name)).flatMap((one) => one.codes) };
  };

  /** The parameters that ask for some tracks, without those of hidden classes. */
  asked = (meant: Meant): Record<string, string | number[]> => {
    const shown = this.shown();
    // No class at all is one that no point has.
    return { ...meant, ...(shown && { column: shown.column, code: shown.code.length ? shown.code : [255] }) };
  };

  colourBy = (column: Column): void => setQuery({ by: column === "genre" ? null : column, off: null });

  toggle = (name: string): void => {
    const hidden = new Set(this.hidden);
    if (!hidden.delete(name)) hidden.add(name);
    setQuery({ off: [...hidden] });
  };

  only = (name: string): void => {
    const others = entries(this.coloured!.legend).filter((one) => one.name !== name);
    const alone = others.every((one) => this.hidden.has(one.name)) && !this.hidden.has(name);
    setQuery({ off: alone ? [] : others.map((one) => one.name) });
  };

  select = (track: Track | null): void => {
    this.selected = track;
    setQuery({ at: track?.id });
  };

  draw = (line: readonly Place[]): void => setQuery({ line: line.length ? lineOf(line) : null });

  #during(load: (signal: AbortSignal) => Promise<void>): () => void {
    const abort = new AbortController();
    load(abort.signal).catch((thrown: unknown) => {
      if (abort.signal.aborted) return;
      const problem = asProblem(thrown);
      if (problem.status === 409) this.reload();
      else this.problem = problem;
    });
    return () => abort.abort();
  }
}

/** At most so many corners, so that an address stays one that can be sent. */
const CORNERS = 60;

export function lineOf(line: readonly Place[]): string {
  const step = Math.max(1, line.length / CORNERS);
  const kept = Array.from({ length: Math.min(CORNERS, line.length) }, (_, at) => line[Math.floor(at * step)]!);
  return kept.map((place) => `${Math.round(place.x)},${Math.round(place.y)}`).join(",");
}

function placesOf(text: string): Place[] {
  const numbers = text.split(",").map(Number);
  if (!text || numbers.some((value) => !Number.isFinite(value)) || numbers.length % 2 || numbers.length < 6) return [];
  return Array.from({ length: numbers.length / 2 }, (_, at) => ({ x: numbers[2 * at]!, y: numbers[2 * at + 1]! }));
}
