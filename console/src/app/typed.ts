// What is typed and not saved: whoever is about to throw the page away asks here first.

type Ask = () => Promise<boolean>;
const asks = new Set<Ask>();

/** Tell how the reader is asked whether what they typed may go. Returns how to stop. */
export function whoTypes(ask: Ask): () => void {
  asks.add(ask);
  return () => asks.delete(ask);
}

/** Ask whether the page may go; true where nothing is typed. */
export async function mayGo(): Promise<boolean> {
  for (const ask of asks) if (!(await ask())) return false;
  return true;
}
