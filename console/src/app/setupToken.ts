// The one-time link carries its token behind the #, so that no server or log on the way sees it.

let token = '';

/** Take the token out of the address before anything else can read it there. */
export function takeSetupToken(): void {
  const found = /^#setup=([^&]+)/.exec(location.hash)?.[1];
  if (!found) return;
  token = decodeURIComponent(found);
  history.replaceState(null, '', '/console/set-up');
}

/** Return the token of the link that was opened; empty where there was none. */
export function setupToken(): string {
  return token;
}

/** Forget the token: it was used, or it is wrong. */
export function forgetSetupToken(): void {
  token = '';
}

/** Find the token in what was pasted: the token itself, the whole link, or the file that holds it. */
export function tokenIn(text: string): string {
  const plain = text.trim();
  const inLink = /#setup=([^&\s]+)/.exec(plain)?.[1];
  if (inLink) return decodeURIComponent(inLink);
  return /"token"\s*:\s*"([^"]+)"/.exec(plain)?.[1] ?? plain;
}
