// Markdown as agents write it, made of elements and text nodes only: no HTML of a stranger is ever parsed.
"use strict";
(() => {
  const BARE = /https?:\/\/[^\s<>"')\]，。；！？、]*[^\s<>"')\].,;:!?，。；！？、]/;
  const INLINE = /(`+)(.+?)\1|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s](?:.*?[^*\s])?)\*|\[([^\]]*)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>"')\]，。；！？、]*[^\s<>"')\].,;:!?，。；！？、])/;

  const make = (name, ...children) => {
    const element = document.createElement(name);
    element.append(...children);
    return element;
  };

  const link = (address, words) => {
    const element = make("a", words);
    element.href = address;
    element.target = "_blank";
    element.rel = "noopener noreferrer nofollow";
    return element;
  };

  const inline = (text) => {
    const found = [];
    let rest = text;
    for (let match = INLINE.exec(rest); match; match = INLINE.exec(rest)) {
      const [whole, , code, bold, bold2, slanted, words, address, bare] = match;
      if (match.index) found.push(rest.slice(0, match.index));
      if (code !== undefined) found.push(make("code", code.trim()));
      else if (bold ?? bold2) found.push(make("strong", ...inline(bold ?? bold2)));
      else if (slanted) found.push(make("em", ...inline(slanted)));
      else if (address) found.push(link(address, words || address));
      else found.push(link(bare, bare));
      rest = rest.slice(match.index + whole.length);
    }
    if (rest) found.push(rest);
    return found;
  };

  const lines = (text) => text.split("\n").flatMap((line, index) => (index ? [make("br"), ...inline(line)] : inline(line)));

  const listed = (name, pattern, block) =>
    make(name, ...block.filter((line) => line.trim()).map((line) => make("li", ...inline(line.replace(pattern, "")))));

  const BULLET = /^\s*[-*+]\s+/, NUMBER = /^\s*\d+[.)]\s+/, HEADING = /^#{1,6}\s+/, QUOTE = /^>\s?/;

  // A block ends at an empty line, at a fence, or where the kind of its lines changes.
  const kind = (line) => (BULLET.test(line) ? "ul" : NUMBER.test(line) ? "ol" : HEADING.test(line) ? "h3" : QUOTE.test(line) ? "quote" : "p");

  const block = (name, held) => {
    if (name === "ul") return listed("ul", BULLET, held);
    if (name === "ol") return listed("ol", NUMBER, held);
    if (name === "h3") return make("h3", ...inline(held.join(" ").replace(HEADING, "")));
    if (name === "quote") return make("blockquote", ...lines(held.map((line) => line.replace(QUOTE, "")).join("\n")));
    return make("p", ...lines(held.join("\n")));
  };

  // Plain text with its addresses as links.
  WunderChat.plain = (text) => {
    const made = document.createDocumentFragment();
    let rest = text;
    for (let match = BARE.exec(rest); match; match = BARE.exec(rest)) {
      made.append(rest.slice(0, match.index), link(match[0], match[0]));
      rest = rest.slice(match.index + match[0].length);
    }
    made.append(rest);
    return made;
  };

  WunderChat.markdown = (text) => {
    const made = document.createDocumentFragment();
    let held = [], name = "", fence = null;
    const flush = () => {
      if (held.length) made.append(block(name, held));
      held = [];
    };
    for (const line of text.replace(/\r\n?/g, "\n").split("\n")) {
      if (/^\s*```/.test(line)) {
        if (fence) made.append(make("pre", make("code", fence.join("\n"))));
        else flush();
        fence = fence ? null : [];
      } else if (fence) fence.push(line);
      else if (!line.trim()) flush();
      else {
        const here = kind(line);
        if (held.length && (here !== name || here === "h3")) flush();
        name = here;
        held.push(line);
      }
    }
    if (fence) made.append(make("pre", make("code", fence.join("\n"))));
    flush();
    return made;
  };
})();
