/** What is written and drawn over the points: names of genres that do not overlap, the lasso, the selected point. */
import type { Schema } from "../../api/client";
import type { Place, View } from "./view";

export type Label = Schema<"MapLabel">;

export interface Inks {
  ink: string;
  ground: string;
  accent: string;
}

interface Taken {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export class Overlay {
  labels: Label[] = [];
  line: Place[] = [];
  selected: Place | null = null;
  hovered: Place | null = null;
  inks: Inks = { ink: "black", ground: "white", accent: "red" };
  /** Names that were written last, for who cannot see them. */
  shown: string[] = [];
  readonly #pen: CanvasRenderingContext2D;
  readonly #widths = new Map<string, number>();

  constructor(readonly canvas: HTMLCanvasElement) {
    this.#pen = canvas.getContext("2d")!;
  }

  draw(view: View, ratio: number, moving: boolean): void {
    const pen = this.#pen;
    const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, view.width, view.height);
    this.#names(view, moving);
    this.#lasso(view);
    for (const [place, radius] of [[this.hovered, 7], [this.selected, 9]] as const) {
      if (place) this.#ring(view.toScreen(place), radius, place === this.selected);
    }
  }

  #names(view: View, moving: boolean): void {
    const pen = this.#pen;
    const taken: Taken[] = [];
    this.shown = [];
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    pen.strokeStyle = this.inks.ground;
    pen.fillStyle = this.inks.ink;
    for (const label of this.labels) {
      if (label.zoom > view.zoom + 0.35) continue;
      const at = view.toScreen(label);
      if (at.x < 0 || at.y < 0 || at.x > view.width || at.y > view.height) continue;
      const isFamily = label.name === label.family;
      const size = isFamily ? 15 : 12;
      const half = this.#width(label.name, size, isFamily) / 2 + 6;
      const box = { left: at.x - half, right: at.x + half, top: at.y - size * 0.8, bottom: at.y + size * 0.8 };
      if (box.left < 2 || box.right > view.width - 2 || taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      this.shown.push(label.name);
      pen.font = font(size, isFamily);
      pen.lineWidth = moving ? 3 : 4;
      pen.globalAlpha = 0.9;
      pen.strokeText(label.name, at.x, at.y);
      pen.globalAlpha = 1;
      pen.fillText(label.name, at.x, at.y);
    }
  }

  #width(name: string, size: number, bold: boolean): number {
    const key = `${size}${name}`;
    let width = this.#widths.get(key);
    if (width === undefined) {
      this.#pen.font = font(size, bold);
      width = this.#pen.measureText(name).width;
      this.#widths.set(key, width);
    }
    return width;
  }

  #lasso(view: View): void {
    if (this.line.length < 2) return;
    const pen = this.#pen;
    pen.beginPath();
    for (const place of this.line) {
      const at = view.toScreen(place);
      pen.lineTo(at.x, at.y);
    }
    pen.closePath();
    pen.fillStyle = this.inks.accent;
    pen.globalAlpha = 0.09;
    pen.fill();
    pen.globalAlpha = 1;
    pen.strokeStyle = this.inks.accent;
    pen.lineWidth = 1.5;
    pen.stroke();
  }

  #ring(at: Place, radius: number, strong: boolean): void {
    const pen = this.#pen;
    for (const [style, width] of [[this.inks.ground, 5], [strong ? this.inks.accent : this.inks.ink, 2]] as const) {
      pen.beginPath();
      pen.arc(at.x, at.y, radius, 0, 2 * Math.PI);
      pen.strokeStyle = style;
      pen.lineWidth = width;
      pen.stroke();
    }
  }
}

function font(size: number, bold: boolean): string {
  return `${bold ? 650 : 450} ${size}px system-ui, sans-serif`;
}

function overlap(a: Taken, b: Taken): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
