/** Where one looks: a place on the grid in the middle, and how near. Pixels grow downwards, the grid upwards. */
export const GRID = 65_535;
export const NEAREST = 9;
export const FARTHEST = -1;
const MARGIN = 0.94;

export interface Place {
  x: number;
  y: number;
}

export class View {
  width = 1;
  height = 1;

  constructor(
    public x = GRID / 2,
    public y = GRID / 2,
    public zoom = 0,
  ) {}

  /** Pixels of one step of the grid. */
  get scale(): number {
    return ((Math.min(this.width, this.height) * MARGIN) / GRID) * 2 ** this.zoom;
  }

  toScreen(at: Place): Place {
    return { x: this.width / 2 + (at.x - this.x) * this.scale, y: this.height / 2 - (at.y - this.y) * this.scale };
  }

  toGrid(at: Place): Place {
    return { x: this.x + (at.x - this.width / 2) / this.scale, y: this.y - (at.y - this.height / 2) / this.scale };
  }

  /** Move by pixels; the map cannot be lost beyond the window's edge. */
  pan(dx: number, dy: number): void {
    this.look({ x: this.x - dx / this.scale, y: this.y + dy / this.scale }, this.zoom);
  }

  /** Come nearer by so many doublings, so that what is under the pixel stays there. */
  zoomAt(pixel: Place, by: number): void {
    const kept = this.toGrid(pixel);
    this.look(this, this.zoom + by);
    const now = this.toGrid(pixel);
    this.look({ x: this.x + kept.x - now.x, y: this.y + kept.y - now.y }, this.zoom);
  }

  look(at: Place, zoom: number): void {
    this.x = Math.min(GRID, Math.max(0, at.x));
    this.y = Math.min(GRID, Math.max(0, at.y));
    this.zoom = Math.min(NEAREST, Math.max(FARTHEST, zoom));
  }

  /** What is seen: left, low, right, high. */
  get box(): [number, number, number, number] {
    const [low, high] = [this.toGrid({ x: 0, y: this.height }), this.toGrid({ x: this.width, y: 0 })];
    return [low.x, low.y, high.x, high.y];
  }

  /** For telling whether anything moved. */
  get key(): string {
    return `${Math.round(this.x)},${Math.round(this.y)},${this.zoom.toFixed(2)}`;
  }
}
