/** Points sorted into squares of the map, so that only what is seen is drawn; within a square every beginning is a fair sample. */
import type { Place } from "./view";

const SIDE = 16;
const SHIFT = 12; // 2^16 / 16

export interface Tile {
  start: number;
  count: number;
}

export class Tiles {
  /** x, y of each slot. */
  readonly at: Uint16Array;
  /** Of each slot the row of the point. */
  readonly rows: Uint32Array;
  readonly #starts: Uint32Array;

  constructor(points: Uint16Array) {
    const n = points.length / 2;
    const starts = new Uint32Array(SIDE * SIDE + 1);
    for (let i = 0; i < n; i++) starts[tileOf(points[2 * i]!, points[2 * i + 1]!) + 1]!++;
    for (let t = 0; t < SIDE * SIDE; t++) starts[t + 1]! += starts[t]!;
    const next = starts.slice();
    this.at = new Uint16Array(2 * n);
    this.rows = new Uint32Array(n);
    for (let row = 0; row < n; row++) {
      const x = points[2 * row]!;
      const y = points[2 * row + 1]!;
      const slot = next[tileOf(x, y)]!++;
      this.rows[slot] = row;
      this.at[2 * slot] = x;
      this.at[2 * slot + 1] = y;
    }
    this.#starts = starts;
  }

  get length(): number {
    return this.rows.length;
  }

  /** Squares that hold points and touch a box. */
  seen([left, low, right, high]: readonly [number, number, number, number]): Tile[] {
    const found: Tile[] = [];
    for (let column = step(left); column <= step(right); column++) {
      for (let line = step(low); line <= step(high); line++) {
        const tile = column * SIDE + line;
        const start = this.#starts[tile]!;
        const count = this.#starts[tile + 1]! - start;
        if (count) found.push({ start, count });
      }
    }
    return found;
  }

  /** Of the points of every square a number in the same order. */
  arranged(values: ArrayLike<number>): Uint8Array {
    const found = new Uint8Array(this.length);
    for (let slot = 0; slot < found.length; slot++) found[slot] = values[this.rows[slot]!]!;
    return found;
  }

  /** The slot nearest to a place among those that may be meant; -1 when none is within reach. */
  nearest(place: Place, reach: number, allowed: (slot: number) => boolean): number {
    let best = -1;
    let least = reach * reach;
    for (const { start, count } of this.seen([place.x - reach, place.y - reach, place.x + reach, place.y + reach])) {
      for (let slot = start; slot < start + count; slot++) {
        const dx = this.at[2 * slot]! - place.x;
        const dy = this.at[2 * slot + 1]! - place.y;
        const apart = dx * dx + dy * dy;
        if (apart <= least && allowed(slot)) {
          least = apart;
          best = slot;
        }
      }
    }
    return best;
  }
}

function tileOf(x: number, y: number): number {
  return (x >> SHIFT) * SIDE + (y >> SHIFT);
}

function step(value: number): number {
  return Math.min(SIDE - 1, Math.max(0, Math.floor(value) >> SHIFT));
}
