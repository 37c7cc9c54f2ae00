/** From a legend to colours: eight classes and "other", or a scale from blue over ochre to rust. */
import { CATEGORIES, colours } from "../../app/theme.svelte";
import type { Legend } from "./points";

export const SCALE = ["cat-2", "cat-4", "cat-1"] as const;

/** A class as the legend shows it. */
export interface Entry {
  name: string;
  /** Codes of the points; the rare classes share an entry. */
  codes: number[];
  count: number;
  /** A token of the design. */
  token: string;
}

export function entries(legend: Legend): Entry[] {
  if (legend.kind !== "class") return [];
  const all = legend.classes ?? [];
  const named = all.filter((one) => one.name !== "other");
  const found: Entry[] = named.slice(0, CATEGORIES.length).map((one, at) => ({
    name: one.name,
    codes: [one.code],
    count: one.count,
    token: CATEGORIES[at]!,
  }));
  const rest = all.filter((one) => !found.some((entry) => entry.codes.includes(one.code)));
  if (rest.length) {
    found.push({ name: "other", codes: rest.map((one) => one.code), count: rest.reduce((sum, one) => sum + one.count, 0), token: "strong-line" });
  }
  if (legend.missing) found.push({ name: "not known", codes: [legend.unknown], count: legend.missing, token: "line" });
  return found;
}

/** 256 colours as bytes; classes that are hidden have alpha 0. */
export function paletteOf(legend: Legend | null, hidden: ReadonlySet<string>): Uint8Array {
  const ink = colours(...CATEGORIES, "strong-line", "line", "soft");
  const bytes = new Uint8Array(1024);
  const set = (code: number, colour: readonly number[], alpha = 255) => bytes.set([colour[0]!, colour[1]!, colour[2]!, alpha], 4 * code);
  if (!legend) {
    for (let code = 0; code < 256; code++) set(code, rgb(ink.soft));
  } else if (legend.kind === "class") {
    for (const entry of entries(legend)) {
      for (const code of entry.codes) set(code, rgb(ink[entry.token as keyof typeof ink]), hidden.has(entry.name) ? 0 : 255);
    }
  } else {
    const stops = SCALE.map((token) => rgb(ink[token]));
    for (let code = 1; code < 256; code++) {
      const along = ((code - 1) / 254) * (stops.length - 1);
      const from = Math.min(stops.length - 2, Math.floor(along));
      set(code, stops[from]!.map((part, i) => part + (stops[from + 1]![i]! - part) * (along - from)));
    }
    set(0, rgb(ink.line), hidden.has("not known") ? 0 : 255);
  }
  return bytes;
}

function rgb(colour: string): number[] {
  const parts = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return colour.startsWith("color(srgb") ? parts.map((part) => 255 * part) : parts;
}
