/** Short news that need no answer: `toast("Copied")`. They go by themselves and are read out. */
interface Note {
  id: number;
  text: string;
}

const SECONDS = 5;
let last = 0;

export const notes = $state<Note[]>([]);

export function toast(text: string): void {
  const id = ++last;
  notes.push({ id, text });
  setTimeout(() => {
    const at = notes.findIndex((note) => note.id === id);
    if (at >= 0) notes.splice(at, 1);
  }, SECONDS * 1000);
}

/** Put a text on the clipboard, and say so. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    toast("The browser does not let this page write to the clipboard: select the text and copy it");
  }
}
