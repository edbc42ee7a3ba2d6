// The chat page: comes in, says, and shows what is committed. It keeps what was not accepted yet and
// sends it again under the same id, so that nothing is lost and nothing doubled.
"use strict";
(() => {
  const { say, markdown, plain } = WunderChat;
  const at = (id) => document.getElementById(id);
  const here = location.pathname.replace(/\/$/, "");
  const given = new URLSearchParams(location.hash.slice(1));
  const origin = window.top === window ? "" : given.get("origin") || referrer();
  const key = `wunder-chat:${here.split("/").pop()}:${origin}`;
  const kept = memory();
  const shown = new Map(); // id of a line -> its element
  const mine = new Map(); // what this page called a line -> {text, at, state}
  let visit = { token: kept.get("token") || "", text_chars: 8000 };
  let lastId = "";
  let sending = false;
  let entered = false; // before that there is no token to say anything with

  function referrer() {
    try { return document.referrer ? new URL(document.referrer).origin : "unknown"; } catch { return "unknown"; }
  }

  // A frame may have no storage of its own: then the page around it keeps what is to be kept, and else it
  // lasts as long as this page.
  function memory() {
    const own = {};
    try {
      Object.assign(own, JSON.parse(localStorage.getItem(key) || "{}"));
    } catch {
      try { Object.assign(own, JSON.parse(given.get("kept") || "{}")); } catch { /* stays empty */ }
    }
    const store = () => {
      try {
        localStorage.setItem(key, JSON.stringify(own));
      } catch {
        if (origin.startsWith("http")) window.parent.postMessage({ wunderChat: JSON.stringify(own) }, origin);
      }
    };
    return { get: (name) => own[name], set: (name, value) => { own[name] = value; store(); } };
  }

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  async function call(path, options = {}) {
    const headers = { ...(visit.token && { Authorization: `Bearer ${visit.token}` }), ...options.headers };
    if (options.body) headers["Content-Type"] = "application/json";
    return fetch(here + path, { ...options, headers, cache: "no-store", credentials: "omit" });
  }

  class Refused extends Error {
    constructor(status, problem) { super(problem.code || String(status)); this.status = status; this.problem = problem; }
  }

  async function refusal(response) {
    let problem = {};
    try { problem = await response.json(); } catch { /* no document */ }
    const after = Number(response.headers.get("Retry-After"));
    return new Refused(response.status, { ...problem, after: after > 0 ? after : 0 });
  }

  function notice(text) {
    at("notice").hidden = !text;
    at("notice").textContent = text;
  }

  function link(state) {
    at("link").dataset.state = state;
    at("link").textContent = say(state);
  }

  // --- coming in ------------------------------------------------------------------------------

  async function enter() {
    const claim = given.get("claim") || "", language = document.documentElement.lang;
    const response = await call("/visits", { method: "POST", body: JSON.stringify({ origin, token: visit.token, claim, language }) });
    if (!response.ok) throw await refusal(response);
    visit = await response.json();
    entered = true;
    kept.set("token", visit.token);
    document.title = visit.title;
    at("title").textContent = visit.title;
    at("greeting").hidden = !visit.greeting;
    at("greeting").textContent = visit.greeting;
    at("text").maxLength = visit.text_chars;
  }

  function why(refused) {
    if (refused.status === 404) return say("gone");
    if (refused.status === 403) return say(given.get("claim") ? "claim" : origin ? "foreign" : "ended");
    return "";
  }

  // --- lines ----------------------------------------------------------------------------------

  function clock(ms) {
    const date = new Date(ms);
    const isToday = date.toDateString() === new Date().toDateString();
    const how = isToday ? { hour: "2-digit", minute: "2-digit" } : { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
    return new Intl.DateTimeFormat(document.documentElement.lang, { ...how, hourCycle: "h23" }).format(date);
  }

  function draw(line) {
    const id = line.key && shown.has(line.key) ? line.key : line.id;
    let item = shown.get(id);
    const isNew = !item;
    if (isNew) {
      item = document.createElement("li");
      item.dataset.side = line.side;
      const who = document.createElement("span");
      who.className = "unseen";
      who.textContent = `${say(line.side)}: `;
      const bubble = document.createElement("div");
      bubble.className = "bubble";
      if (line.format === "markdown") {
        bubble.classList.add("markdown");
        bubble.append(markdown(line.text));
      } else bubble.append(plain(line.text));
      (line.files || []).forEach((file) => bubble.append(attached(file)));
      const meta = document.createElement("div");
      meta.className = "meta";
      const time = document.createElement("time");
      const mark = document.createElement("span");
      mark.className = "mark";
      meta.append(time, mark);
      item.append(who, bubble, meta);
      at("lines").append(item);
    }
    item.dataset.at = line.at;
    const time = item.querySelector("time");
    time.dateTime = new Date(line.at).toISOString();
    time.title = time.dateTime;
    time.textContent = clock(line.at);
    const mark = item.querySelector(".mark");
    mark.dataset.mark = line.mark;
    mark.textContent = say(line.reason ? `failed_${line.reason}` : line.mark);
    item.dataset.mark = line.mark;
    shown.set(line.id, item);
    if (line.key) shown.set(line.key, item);
    return isNew;
  }

  function attached(file) {
    const isImage = file.url && file.mime.startsWith("image/");
    const element = document.createElement(isImage ? "img" : file.url ? "a" : "span");
    if (isImage) { element.src = file.url; element.alt = file.name || say("file"); }
    else {
      element.textContent = file.name || say("file");
      if (file.url) { element.href = file.url; element.target = "_blank"; element.rel = "noopener"; }
    }
    return element;
  }

  // By time of commit; the browser's own clock only places what is not committed yet, at the end.
  function sort() {
    const list = at("lines");
    const inPlace = [...list.children];
    const wanted = [...inPlace].sort((a, b) => Number(a.dataset.unsent || 0) - Number(b.dataset.unsent || 0) || a.dataset.at - b.dataset.at);
    if (wanted.some((item, index) => item !== inPlace[index])) list.append(...wanted);
  }

  function isAtEnd() {
    const box = at("scroll");
    return box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  }

  function toEnd() {
    at("scroll").scrollTop = at("scroll").scrollHeight;
  }

  function told({ lines, is_whole: isWhole }) {
    const follow = isWhole || isAtEnd();
    if (isWhole) {
      const known = new Set(lines.flatMap((line) => [line.id, line.key]));
      for (const [id, item] of shown) if (!known.has(id) && !mine.has(id) && !known.has(item.dataset.id)) { item.remove(); shown.delete(id); }
    }
    for (const line of lines) {
      if (line.key && mine.has(line.key)) settle(line.key);
      draw(line);
      const item = shown.get(line.id);
      item.dataset.id = line.id;
      delete item.dataset.unsent;
      item.querySelector("button.again")?.remove();
    }
    sort();
    at("typing").hidden = ![...at("lines").children].some((item) => item.dataset.side === "you" && ["received", "answering"].includes(item.dataset.mark));
    if (follow) toEnd();
  }

  // --- saying ---------------------------------------------------------------------------------

  function keep() {
    kept.set("unsent", [...mine].map(([id, one]) => ({ id, text: one.text, at: one.at })));
  }

  function settle(id) {
    mine.delete(id);
    keep();
  }

  function queue(id, text, when) {
    mine.set(id, { text, at: when, state: "unsent" });
    keep();
    draw({ id, key: id, side: "you", text, format: "plain", at: when, mark: "unsent" });
    shown.get(id).dataset.unsent = "1";
    toEnd();
    flush();
  }

  // One after the other, in order; each until it is accepted or refused for good.
  async function flush() {
    if (sending || !entered) return;
    sending = true;
    let wait = 500;
    try {
      for (;;) {
        const next = [...mine].find(([, one]) => one.state === "unsent");
        if (!next) return;
        const [id, one] = next;
        let refused = null;
        try {
          const response = await call("/messages", { method: "POST", body: JSON.stringify({ id, text: one.text }) });
          if (response.ok) { one.state = "accepted"; notice(""); wait = 500; continue; }
          refused = await refusal(response);
        } catch { /* offline: try again */ }
        if (refused && refused.status === 403) {
          try { await enter(); continue; } catch (error) { refused = error; }
        }
        if (refused && [403, 404, 413, 422].includes(refused.status)) { stuck(id, one, refused); continue; }
        if (refused && refused.status === 429) notice(say("too_fast", { s: refused.problem.after || 1 }));
        await pause(refused?.problem?.after ? refused.problem.after * 1000 : wait);
        wait = Math.min(wait * 2, 10000);
      }
    } finally {
      sending = false;
    }
  }

  function stuck(id, one, refused) {
    one.state = "stuck";
    notice(refused.status === 422 || refused.status === 413 ? say("too_long") : why(refused) || say("notsent"));
    draw({ id, key: id, side: "you", text: one.text, format: "plain", at: one.at, mark: "failed" });
    const item = shown.get(id);
    item.querySelector(".mark").textContent = say("notsent");
    if (item.querySelector("button.again")) return;
    const again = document.createElement("button");
    again.type = "button";
    again.className = "again";
    again.textContent = say("again");
    again.addEventListener("click", () => {
      again.remove();
      one.state = "unsent";
      draw({ id, key: id, side: "you", text: one.text, format: "plain", at: one.at, mark: "unsent" });
      notice("");
      flush();
    });
    item.querySelector(".meta").append(again);
  }

  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // --- being told -----------------------------------------------------------------------------

  // Read as a stream rather than by EventSource, which cannot carry the token in a header.
  async function listen() {
    const headers = { Accept: "text/event-stream", ...(lastId && { "Last-Event-ID": lastId }) };
    const gone = new AbortController();
    const response = await call("/events", { headers, signal: gone.signal });
    if (!response.ok) throw await refusal(response);
    link("live");
    notice("");
    flush();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    let watchdog = 0;
    const heard = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => gone.abort(), 40000); // heartbeats come each 15 s
    };
    heard();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return true;
        heard();
        buffer += value;
        const events = buffer.split("\n\n");
        buffer = events.pop();
        for (const event of events) if (!take(event)) return false;
      }
    } finally {
      clearTimeout(watchdog);
      gone.abort();
    }
  }

  // False when the visit has ended.
  function take(event) {
    const fields = {};
    for (const line of event.split("\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
    }
    if (fields.id) lastId = fields.id;
    if (fields.event === "lines") told(JSON.parse(fields.data));
    return fields.event !== "ended";
  }

  async function stay() {
    let wait = 500;
    for (;;) {
      try {
        const goesOn = await listen();
        wait = 500;
        link("lost");
        if (!goesOn) await enter(); // the token ended; who may come back does
      } catch (error) {
        link("lost");
        if (error instanceof Refused && [403, 404].includes(error.status)) {
          try { await enter(); } catch (again) {
            const reason = again instanceof Refused ? why(again) : "";
            if (reason) notice(reason);
            if (reason) wait = 10000;
          }
        }
      }
      await pause(wait + Math.random() * 250);
      wait = Math.min(wait * 2, 10000);
    }
  }

  async function start() {
    const theme = new URLSearchParams(location.search).get("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    at("label").textContent = say("message");
    at("text").placeholder = say("placeholder");
    at("sendword").textContent = say("send");
    link("connecting");
    for (let wait = 500; ; wait = Math.min(wait * 2, 10000)) {
      try { await enter(); break; } catch (error) {
        const reason = error instanceof Refused ? why(error) : "";
        if (reason) { notice(reason); at("link").textContent = ""; }
        if (error instanceof Refused && [403, 404].includes(error.status)) { at("form").hidden = true; return; }
        link("lost");
        await pause(error?.problem?.after ? error.problem.after * 1000 : wait);
      }
    }
    for (const one of kept.get("unsent") || []) {
      mine.set(one.id, { text: one.text, at: one.at, state: "unsent" });
      draw({ ...one, key: one.id, side: "you", format: "plain", mark: "unsent" });
      shown.get(one.id).dataset.unsent = "1";
    }
    at("text").focus({ preventScroll: true });
    stay();
  }

  const text = at("text");
  text.addEventListener("input", () => {
    at("send").disabled = !text.value.trim();
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight + 2}px`;
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    at("form").requestSubmit();
  });
  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!text.value.trim()) return;
    queue(newId(), text.value.trim(), Date.now());
    text.value = "";
    text.dispatchEvent(new Event("input"));
    text.focus();
  });
  start();
})();
