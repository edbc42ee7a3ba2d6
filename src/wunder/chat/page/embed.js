// One line in a company's page:
// <script src="https://gateway/wunder/chat/embed.js" data-chat="key" async></script>
// Also: data-claim (who the user is, signed), data-lang, data-theme, data-label, data-open, data-into (a selector:
// the chat fills that element instead of floating).
(() => {
  "use strict";
  const script = document.currentScript;
  const { chat, claim = "", lang = "", theme = "", label = "", open, into = "" } = script.dataset;
  const base = new URL("./", script.src);
  const zh = (lang || document.documentElement.lang || navigator.language).toLowerCase().startsWith("zh");
  const words = label || (zh ? "聊天" : "Chat");

  const store = {
    get: () => { try { return localStorage.getItem(`wunder-chat:${chat}`); } catch { return null; } },
    set: (text) => { try { localStorage.setItem(`wunder-chat:${chat}`, text); } catch { /* this visit only */ } },
  };

  const frame = () => {
    const page = new URL(chat, base);
    if (lang) page.searchParams.set("lang", lang);
    if (theme) page.searchParams.set("theme", theme);
    // In the fragment: it reaches neither a log nor another site.
    const kept = store.get();
    page.hash = new URLSearchParams({ origin: location.origin, ...(claim && { claim }), ...(kept && { kept }) }).toString();
    const element = document.createElement("iframe");
    // Browsers that give frames of other sites no storage: what the chat has to keep is kept here.
    addEventListener("message", (event) => {
      const isOurs = event.source === element.contentWindow && event.origin === base.origin;
      if (isOurs && typeof event.data?.wunderChat === "string") store.set(event.data.wunderChat);
    });
    element.title = words;
    element.src = page.href;
    element.referrerPolicy = "origin";
    Object.assign(element.style, { border: "0", width: "100%", height: "100%", display: "block", colorScheme: "normal" });
    return element;
  };

  const start = () => {
    const place = into && document.querySelector(into);
    if (place) {
      place.append(frame());
      return;
    }
    const box = document.createElement("div");
    const panel = document.createElement("div");
    const button = document.createElement("button");
    const narrow = matchMedia("(max-width: 480px)");
    Object.assign(box.style, { position: "fixed", right: "16px", bottom: "16px", zIndex: "2147483000" });
    Object.assign(button.style, {
      display: "block", marginLeft: "auto", minWidth: "56px", height: "56px", padding: "0 18px", borderRadius: "28px", border: "0",
      background: "#2f5bd7", color: "#fff", font: "600 15px system-ui, sans-serif", cursor: "pointer", boxShadow: "0 4px 16px rgba(0,0,0,.25)",
    });
    button.type = "button";
    button.textContent = words;
    panel.hidden = true;
    const lay = () => {
      const whole = narrow.matches;
      Object.assign(panel.style, {
        width: whole ? "calc(100vw - 32px)" : "380px", height: whole ? "calc(100dvh - 112px)" : "min(600px, calc(100vh - 112px))",
        marginBottom: "12px", borderRadius: "14px", overflow: "hidden", boxShadow: "0 8px 32px rgba(0,0,0,.28)",
        display: panel.hidden ? "none" : "block",
      });
    };
    const show = (on) => {
      if (on && !panel.firstChild) panel.append(frame());
      panel.hidden = !on;
      button.setAttribute("aria-expanded", String(on));
      lay();
      if (on) panel.firstChild.focus();
    };
    button.addEventListener("click", () => show(panel.hidden));
    box.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !panel.hidden) { show(false); button.focus(); }
    });
    narrow.addEventListener("change", lay);
    box.append(panel, button);
    document.body.append(box);
    show(open !== undefined);
  };

  if (!chat) console.error("wunder chat: data-chat is missing");
  else if (document.body) start();
  else addEventListener("DOMContentLoaded", start);
})();
