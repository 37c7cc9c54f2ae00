/** Points, names and the view together: says when to draw what, so that moving stays smooth on slow machines, too. */
import { Overlay } from "./overlay";
import { Renderer } from "./renderer";
import { Tiles } from "./tiles";
import { type Place, View } from "./view";

const LEAST = 4_000; // points drawn while moving, however slow the machine
const AT_FIRST = 30_000;
const SLOW = 45; // milliseconds between frames, above which fewer points are drawn, and
const QUICK = 24; // below which more
const REST = 140; // milliseconds without a move, after which all points are added
const RESTING = 4; // times as many points a frame, once nobody waits for the next one
const FLIGHT = 650;

export class Scene {
  readonly view = new View();
  readonly overlay: Overlay;
  readonly #renderer: Renderer;
  tiles: Tiles = new Tiles(new Uint16Array());
  codes: Uint8Array = new Uint8Array();
  #palette: Uint8Array = new Uint8Array(1024).fill(255);
  /** Told when the view has come to rest, and whenever all is drawn at rest. */
  rested: () => void = () => {};
  drawn: () => void = () => {};
  #budget = AT_FIRST;
  #asked = 0;
  #before = 0;
  #moved = 0;
  #moving = false;
  #isWhole = true;
  #flight: { from: View; to: Place & { zoom: number }; begun: number } | null = null;

  constructor(
    points: HTMLCanvasElement,
    names: HTMLCanvasElement,
    /** Told of moving and resting. */
    readonly moves: (moving: boolean) => void = () => {},
  ) {
    this.#renderer = new Renderer(points);
    this.overlay = new Overlay(names);
  }

  place(points: Uint16Array): void {
    this.tiles = new Tiles(points);
    this.codes = new Uint8Array(this.tiles.length);
    this.#renderer.place(this.tiles, points);
    this.redraw();
  }

  /** Colour points anew: of each row a code, and a colour for each code. */
  colour(values: Uint8Array): void {
    if (values.length !== this.tiles.length) return; // of another version: what belongs to these points is on its way
    this.codes = this.tiles.arranged(values);
    this.#renderer.code(this.codes, values);
    this.redraw();
  }

  paint(palette: Uint8Array): void {
    this.#palette = palette;
    this.#renderer.paint(palette);
    this.redraw();
  }

  /** The row under a pixel, among those that are shown; -1 for none. */
  rowAt(pixel: Place, reach: number): number {
    const slot = this.tiles.nearest(this.view.toGrid(pixel), reach / this.view.scale, (at) => this.#palette[4 * this.codes[at]! + 3] !== 0);
    return slot < 0 ? -1 : this.tiles.rows[slot]!;
  }

  resize(width: number, height: number): void {
    this.view.width = Math.max(1, width);
    this.view.height = Math.max(1, height);
    this.redraw();
  }

  /** After the view was changed by hand. */
  moved(): void {
    this.#flight = null;
    this.#go();
  }

  /** Go somewhere; at once where movement is not wanted. */
  fly(to: Place & { zoom: number }, { still = matchMedia("(prefers-reduced-motion: reduce)").matches } = {}): void {
    const view = this.view;
    if (still) {
      view.look(to, to.zoom);
      this.moved();
      return;
    }
    this.#flight = { from: new View(view.x, view.y, view.zoom), to, begun: performance.now() };
    this.#go();
  }

  /** Draw once more from where one is. */
  redraw(): void {
    this.#isWhole = false;
    this.#ask();
  }

  free(): void {
    cancelAnimationFrame(this.#asked);
    this.#asked = 0;
    this.rested = this.drawn = () => {};
    this.#renderer.free();
  }

  #go(): void {
    this.#moved = performance.now();
    if (!this.#moving) this.moves(true);
    this.#moving = true;
    this.redraw();
  }

  #ask(): void {
    this.#asked ||= requestAnimationFrame(this.#frame);
  }

  #frame = (now: number): void => {
    this.#asked = 0;
    const gap = now - this.#before;
    this.#before = now;
    if (this.#flight) this.#fly(now);
    if (this.#moving && gap < 400) this.#learn(gap);
    const ratio = Math.min(devicePixelRatio || 1, 2);
    if (!this.#isWhole) {
      this.#isWhole = true;
      this.#renderer.begin(this.view, ratio, this.#moving);
      this.overlay.draw(this.view, ratio, this.#moving);
      if (!this.#moving) this.drawn();
      if (!this.#renderer.more(this.#budget)) this.#ask();
      if (this.tiles.length && !performance.getEntriesByName("map-first-picture").length) performance.mark("map-first-picture");
    } else if (!this.#moving && !this.#renderer.more(RESTING * this.#budget)) {
      this.#ask();
    }
    if (!this.#moving) return;
    if (!this.#flight && performance.now() - this.#moved > REST) {
      this.#moving = false;
      this.overlay.draw(this.view, ratio, false);
      this.drawn();
      this.rested();
      this.moves(false);
    }
    this.#ask();
  };

  /** As many points as this machine draws in time. */
  #learn(gap: number): void {
    if (gap > SLOW) this.#budget = Math.max(LEAST, this.#budget * (gap > 2 * SLOW ? 0.5 : 0.8));
    else if (gap < QUICK) this.#budget = Math.min(Math.max(AT_FIRST, this.tiles.length), this.#budget * 1.15);
  }

  #fly(now: number): void {
    const { from, to, begun } = this.#flight!;
    const done = Math.min(1, Math.max(0, (now - begun) / FLIGHT));
    const eased = done < 0.5 ? 2 * done * done : 1 - (2 - 2 * done) ** 2 / 2;
    const mix = (a: number, b: number) => a + (b - a) * eased;
    this.view.look({ x: mix(from.x, to.x), y: mix(from.y, to.y) }, mix(from.zoom, to.zoom));
    this.#moved = performance.now();
    this.redraw();
    if (done === 1) this.#flight = null;
  }
}
