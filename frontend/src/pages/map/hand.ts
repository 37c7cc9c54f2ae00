/** Mouse, fingers, wheel and keys on the map. */
import type { Scene } from "./scene";
import type { Place } from "./view";

const STEP = 90; // pixels of an arrow key
const STILL = 5; // pixels that a click may tremble

export interface Told {
  hover(pixel: Place | null): void;
  click(pixel: Place): void;
  /** A line was drawn around points. */
  drawn(line: Place[]): void;
  fit(): void;
}

/** Listen; returns what ends it. `isDrawing` says whether a drag draws a line. */
export function hold(stage: HTMLElement, scene: Scene, told: Told, isDrawing: () => boolean): () => void {
  const down = new Map<number, Place>();
  const off = new AbortController();
  let begun: Place | null = null;
  let wandered = 0;
  let line: Place[] | null = null;

  const pixel = (event: MouseEvent): Place => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const listen = <K extends keyof HTMLElementEventMap>(name: K, heard: (event: HTMLElementEventMap[K]) => void) =>
    stage.addEventListener(name, heard, { signal: off.signal, passive: false });

  listen("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    down.set(event.pointerId, pixel(event));
    begun = pixel(event);
    wandered = 0;
    line = down.size === 1 && (isDrawing() || event.shiftKey) ? [scene.view.toGrid(begun)] : null;
    told.hover(null);
  });
  listen("pointermove", (event) => {
    const at = pixel(event);
    const before = down.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") told.hover(at);
      return;
    }
    const all = [...down.values()];
    down.set(event.pointerId, at);
    wandered = Math.max(wandered, begun ? Math.hypot(at.x - begun.x, at.y - begun.y) : 0);
    if (line) {
      const last = scene.view.toScreen(line.at(-1)!);
      if (Math.hypot(at.x - last.x, at.y - last.y) < 6) return;
      line.push(scene.view.toGrid(at));
      scene.overlay.line = line;
      scene.redraw();
    } else if (all.length === 2) {
      pinch(scene, all, [...down.values()]);
    } else if (wandered > STILL) {
      scene.view.pan(at.x - before.x, at.y - before.y);
      scene.moved();
    }
  });
  const up = (event: PointerEvent) => {
    if (!down.delete(event.pointerId)) return;
    if (line && wandered > STILL && line.length > 2) told.drawn(line);
    else if (event.type === "pointerup" && wandered <= STILL && !down.size) told.click(pixel(event));
    line = null;
    if (down.size === 1) begun = [...down.values()][0]!;
  };
  listen("pointerup", up);
  listen("pointercancel", up);
  listen("pointerleave", () => !down.size && told.hover(null));
  listen("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    scene.view.zoomAt(pixel(event), -Math.max(-1, Math.min(1, (event.deltaY * lines) / (event.ctrlKey ? 60 : 240))));
    scene.moved();
  });
  listen("dblclick", (event) => {
    scene.view.zoomAt(pixel(event), event.shiftKey ? -1 : 1);
    scene.moved();
  });
  listen("keydown", (event) => {
    if (event.target !== stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const { view } = scene;
    const middle = { x: view.width / 2, y: view.height / 2 };
    const does: Record<string, () => void> = {
      ArrowLeft: () => view.pan(STEP, 0),
      ArrowRight: () => view.pan(-STEP, 0),
      ArrowUp: () => view.pan(0, STEP),
      ArrowDown: () => view.pan(0, -STEP),
      "+": () => view.zoomAt(middle, 0.5),
      "=": () => view.zoomAt(middle, 0.5),
      "-": () => view.zoomAt(middle, -0.5),
      "0": told.fit,
      Enter: () => told.click(middle),
    };
    const act = does[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    if (event.key !== "0" && event.key !== "Enter") scene.moved();
  });
  return () => off.abort();
}

function pinch(scene: Scene, before: Place[], after: Place[]): void {
  const [a, b] = before as [Place, Place];
  const [c, d] = after as [Place, Place];
  const middle = { x: (c.x + d.x) / 2, y: (c.y + d.y) / 2 };
  scene.view.pan(middle.x - (a.x + b.x) / 2, middle.y - (a.y + b.y) / 2);
  const apart = Math.hypot(c.x - d.x, c.y - d.y) / Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
  scene.view.zoomAt(middle, Math.log2(apart));
  scene.moved();
}
