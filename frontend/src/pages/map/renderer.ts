/** Draws points with WebGL2. While one moves only as many as there is time for; at rest the others are added, part by part. */
import type { Tile, Tiles } from "./tiles";
import type { View } from "./view";
import { GRID } from "./view";

const VERTEX = `#version 300 es
layout(location = 0) in vec2 at;
layout(location = 1) in float code;
uniform vec2 scale;
uniform vec2 offset;
uniform float size;
uniform sampler2D palette;
out vec4 colour;
void main() {
  colour = texelFetch(palette, ivec2(int(code + 0.5), 0), 0);
  gl_Position = colour.a == 0.0 ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(at * scale + offset, 0.0, 1.0);
  gl_PointSize = size;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 colour;
uniform float alpha;
uniform bool isRound;
out vec4 drawn;
void main() {
  float cover = alpha;
  if (isRound) {
    vec2 from = gl_PointCoord - 0.5;
    cover *= 1.0 - smoothstep(0.19, 0.25, dot(from, from));
    if (cover == 0.0) discard;
  }
  drawn = vec4(colour.rgb * cover, cover);
}`;

const SAMPLE = 65_536; // points, as good as drawn from all, that are in one piece
const MANY = 40; // squares; each is a call that costs as much as thousands of points

/** There is no WebGL2 here, or it was taken away. */
export class NoWebGL extends Error {}

export class Renderer {
  readonly #gl: WebGL2RenderingContext;
  readonly #places: Record<"scale" | "offset" | "size" | "alpha" | "isRound", WebGLUniformLocation | null>;
  readonly #whole: Held;
  readonly #sample: Held;
  #tiles: Tiles | null = null;
  #seen: Tile[] = [];
  #share = 1;
  #isSampled = false;

  constructor(readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext("webgl2", { antialias: false, depth: false, alpha: true, preserveDrawingBuffer: true });
    if (!gl) throw new NoWebGL();
    this.#gl = gl;
    const program = linked(gl);
    gl.useProgram(program);
    const of = (name: string) => gl.getUniformLocation(program, name);
    this.#places = { scale: of("scale"), offset: of("offset"), size: of("size"), alpha: of("alpha"), isRound: of("isRound") };
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.#whole = held(gl);
    this.#sample = held(gl);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  /** Other points, in squares and as they came; all of code 0 until `code` says otherwise. */
  place(tiles: Tiles, points: Uint16Array): void {
    this.#tiles = tiles;
    this.#fill(this.#whole.at, tiles.at);
    this.#fill(this.#sample.at, points.subarray(0, 2 * SAMPLE));
    this.code(new Uint8Array(tiles.length), new Uint8Array(Math.min(SAMPLE, tiles.length)));
  }

  /** Of each slot, and of each row, its place in the palette. */
  code(slots: Uint8Array, rows: Uint8Array): void {
    this.#fill(this.#whole.codes, slots);
    this.#fill(this.#sample.codes, rows.subarray(0, SAMPLE));
  }

  #fill(buffer: WebGLBuffer | null, values: ArrayBufferView): void {
    this.#gl.bindBuffer(this.#gl.ARRAY_BUFFER, buffer);
    this.#gl.bufferData(this.#gl.ARRAY_BUFFER, values, this.#gl.STATIC_DRAW);
  }

  /** 256 colours, four bytes each; those of alpha 0 are not drawn. */
  paint(palette: Uint8Array): void {
    const gl = this.#gl;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, palette);
  }

  /** Begin a picture; a quick one, of which nothing more may follow, is of the sample where that is cheaper. */
  begin(view: View, ratio: number, quick: boolean): void {
    const gl = this.#gl;
    const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.#tiles) return;
    const [sx, sy] = [(2 * GRID * view.scale) / view.width, (2 * GRID * view.scale) / view.height];
    gl.uniform2f(this.#places.scale, sx, sy);
    gl.uniform2f(this.#places.offset, (-sx * view.x) / GRID, (-sy * view.y) / GRID);
    const size = sizeOf(this.#tiles.length, view) * ratio;
    gl.uniform1f(this.#places.size, size);
    gl.uniform1i(this.#places.isRound, size >= 3 ? 1 : 0);
    gl.uniform1f(this.#places.alpha, this.#tiles.length > 200_000 && view.zoom < 3 ? 0.6 : 0.85);
    this.#seen = this.#tiles.seen(view.box);
    this.#share = 0;
    this.#isSampled = quick && this.#seen.length > MANY;
  }

  /** How many points are seen. */
  get seen(): number {
    return this.#seen.reduce((sum, tile) => sum + tile.count, 0);
  }

  /** Draw so many more of the points that are seen; says whether all are there. */
  more(budget: number): boolean {
    if (this.#share >= 1) return true;
    const gl = this.#gl;
    if (this.#isSampled) {
      this.#isSampled = false;
      gl.bindVertexArray(this.#sample.array);
      gl.drawArrays(gl.POINTS, 0, Math.round(Math.min(budget, SAMPLE, this.#tiles!.length)));
      return false;
    }
    gl.bindVertexArray(this.#whole.array);
    const next = Math.min(1, this.#share + budget / Math.max(1, this.seen));
    for (const { start, count } of this.#seen) {
      const [from, to] = [Math.ceil(count * this.#share), Math.ceil(count * next)];
      if (to > from) gl.drawArrays(gl.POINTS, start + from, to - from);
    }
    this.#share = next;
    return next >= 1;
  }

  free(): void {
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

/** Pixels of a point: the more points and the farther away, the smaller. */
export function sizeOf(n: number, view: View): number {
  const room = Math.sqrt((view.width * view.height) / Math.max(n, 1));
  return Math.min(13, Math.max(n > 200_000 ? 1.5 : 2.5, 0.32 * room) * 1.32 ** Math.max(0, view.zoom));
}

/** Buffers of places and codes, and how they are read. */
interface Held {
  at: WebGLBuffer | null;
  codes: WebGLBuffer | null;
  array: WebGLVertexArrayObject | null;
}

function held(gl: WebGL2RenderingContext): Held {
  const found = { at: gl.createBuffer(), codes: gl.createBuffer(), array: gl.createVertexArray() };
  gl.bindVertexArray(found.array);
  gl.bindBuffer(gl.ARRAY_BUFFER, found.at);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 2, gl.UNSIGNED_SHORT, true, 0, 0);
  gl.bindBuffer(gl.ARRAY_BUFFER, found.codes);
  gl.enableVertexAttribArray(1);
  gl.vertexAttribPointer(1, 1, gl.UNSIGNED_BYTE, false, 0, 0);
  return found;
}

function linked(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) throw new NoWebGL();
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new NoWebGL(gl.getProgramInfoLog(program) ?? "");
  return program;
}
