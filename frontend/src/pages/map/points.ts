/** What the map is made of, from the API: places as they are, and what they are coloured by. */
import { fetched, get, Problem, type Schema } from "../../api/client";

export type Column = "genre" | "mood" | "year" | "score" | "popularity" | "source";
export type Legend = Schema<"MapLegend">;

export const COLUMNS: readonly Column[] = ["genre", "mood", "year", "score", "popularity", "source"];

export interface Points {
  version: string;
  at: Uint16Array;
}

const PAUSE = 400;

/** All places; `told` hears how far a map is that is being drawn. */
export async function loadPoints(signal: AbortSignal, told: (done: number) => void): Promise<Points> {
  for (;;) {
    const answer = await fetched("GET", "/ml/map", { signal });
    if (answer.status !== 202) {
      return { version: answer.headers.get("x-map-version") ?? "", at: new Uint16Array(await answer.arrayBuffer()) };
    }
    told(((await answer.json()) as { done: number }).done);
    await pause(PAUSE, signal);
  }
}

export interface Coloured {
  legend: Legend;
  /** Of each row a code from 0 to 255; numbers as 1 to 255 between the legend's ends, 0 where nothing is known. */
  codes: Uint8Array;
}

export async function loadColumn(name: Column, version: string, signal: AbortSignal): Promise<Coloured> {
  const [answer, legend] = await Promise.all([
    fetched("GET", "/ml/map/columns/{name}", { path: { name }, signal }),
    get("/ml/map/columns/{name}/legend", { path: { name }, signal }),
  ]);
  const buffer = await answer.arrayBuffer();
  if (answer.headers.get("x-map-version") !== version) {
    throw new Problem(409, "The map has grown", "The catalogue changed while the map was loaded; it is loaded again.");
  }
  if (legend.kind === "class") return { legend, codes: new Uint8Array(buffer) };
  const values = name === "year" ? new Uint16Array(buffer) : new Uint8Array(buffer);
  const [low, span] = [legend.low ?? 0, Math.max(1e-9, (legend.high ?? 1) - (legend.low ?? 0))];
  const codes = new Uint8Array(values.length);
  for (let i = 0; i < codes.length; i++) {
    const value = values[i]!;
    if (value !== legend.unknown) codes[i] = 1 + Math.round(254 * Math.min(1, Math.max(0, (value - low) / span)));
  }
  return { legend, codes };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("left", "AbortError"));
    });
  });
}
