/** Arrow keys in a list of results: down from the field into it, up and down within it, up from the first back into the field. */
export function arrows(event: KeyboardEvent, box: HTMLElement | undefined, field: HTMLInputElement | undefined): void {
  if (!box || event.altKey || event.ctrlKey || event.metaKey || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
  const links = [...box.querySelectorAll<HTMLElement>("[data-result]")];
  const at = links.indexOf(document.activeElement as HTMLElement);
  if (at < 0 && document.activeElement !== field) return;
  event.preventDefault();
  const next = event.key === "ArrowDown" ? at + 1 : at - 1;
  if (next < 0) field?.focus();
  else links[Math.min(next, links.length - 1)]?.focus();
}

/** A value that follows another when that has stood still for a while, so that not every letter is asked for. */
export function settling(read: () => string, told: (value: string) => void, wait = 140): void {
  $effect(() => {
    const value = read();
    const timer = setTimeout(() => told(value), wait);
    return () => clearTimeout(timer);
  });
}
