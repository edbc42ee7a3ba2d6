// Where the focus goes when another page is opened: to its heading, so that it is read and Tab goes on from there.

let isArriving = false;
let from: Element | null = null;

/** Tell that the reader goes to another page. */
export function setOut(): void {
  isArriving = true;
  from = document.activeElement;
}

/** Give the focus to a heading that has just come; not where the reader is somewhere else already. */
export function arriveAt(heading: HTMLElement | null): void {
  if (!isArriving || !heading) return;
  isArriving = false;
  const at = document.activeElement;
  // What is being typed goes on; a field of the new page may have asked for the focus.
  if (at !== null && at !== document.body && (at !== from || at.matches('input, textarea, select'))) return;
  heading.focus({ preventScroll: true });
}
