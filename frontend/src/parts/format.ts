/** Figures as people read them: thousands separated, with units, in one place. */
const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

export const NONE = "–";

/** 1234567 → "1,234,567"; with digits, up to so many after the point. */
export function number(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || Number.isNaN(value)) return NONE;
  return digits ? value.toLocaleString("en-GB", { maximumFractionDigits: digits }) : whole.format(value);
}

/** With always so many digits after the point, for figures that stand under each other. */
export function fixed(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined || Number.isNaN(value)) return NONE;
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A share from 0 to 1 → "87 %"; what is a little more than nothing never reads as nothing, nor what is almost all as all. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || Number.isNaN(share)) return NONE;
  if (share > 0 && share < 0.01) return "< 1 %";
  if (share < 1 && share > 0.99) return "> 99 %";
  return `${whole.format(100 * share)} %`;
}

/** "1 album", "1,204 albums". */
export function count(value: number, noun: string, plural = `${noun}s`): string {
  return `${whole.format(value)} ${value === 1 ? noun : plural}`;
}

/** Seconds → "40 s", "3 min", "2 h 10 min", "4 days". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  if (seconds < 1) return "< 1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  if (minutes < 48 * 60) return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
  return `${whole.format(minutes / 1440)} days`;
}

/** Milliseconds of a track → "4:19". */
export function length(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NONE;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** 1536000 → "1.5 MB". */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [left, at] = [value, 0];
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  return `${number(left, at && left < 10 ? 1 : 0)} ${units[at]}`;
}

export const when = (iso: string | null | undefined): string => (iso ? moment.format(new Date(iso)) : NONE);
export const date = (iso: string | null | undefined): string => (iso ? day.format(new Date(iso)) : NONE);
export const time = (at: Date): string => clock.format(at);

/** snake_case of the API as words. */
export const words = (name: string): string => name.replaceAll("_", " ");
