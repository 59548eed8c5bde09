"use strict";
// The playground. What a person or a model wrote is only ever set as text, never as markup.

const $ = id => document.getElementById(id);
const make = (tag, props = {}, ...children) => {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children);
  return e;
};

// ---- the controls: the one list ----

const CONTROLS = [
  { id: "temperature", label: "Temperature", min: 0, max: 2, step: 0.05, value: 0.8, note: "0 always takes the likeliest token; higher dares more." },
  { id: "top_p", label: "Top p", min: 0.01, max: 1, step: 0.01, value: 0.95, note: "Keeps the likeliest tokens that make up this share." },
  { id: "top_k", label: "Top k", min: 0, max: 200, step: 1, value: 0, note: "Keeps this many of the likeliest tokens; 0 keeps all.", extra: true },
  { id: "min_p", label: "Min p", min: 0, max: 1, step: 0.01, value: 0, note: "Drops tokens less likely than this share of the likeliest.", extra: true },
  { id: "max_tokens", label: "Tokens", min: 1, max: 512, step: 1, value: 120, note: "How many tokens to write, at most." },
  { id: "presence_penalty", label: "Presence penalty", min: -2, max: 2, step: 0.1, value: 0, note: "Against tokens that were written at all." },
  { id: "frequency_penalty", label: "Frequency penalty", min: -2, max: 2, step: 0.1, value: 0, note: "Against tokens, each time they were written." },
  { id: "repetition_penalty", label: "Repetition penalty", min: 0.5, max: 2, step: 0.05, value: 1, note: "Against all that was read or written; 1 is none.", extra: true },
];
const PRESETS = {
  greedy: { temperature: 0, top_p: 1, top_k: 0, min_p: 0 },
  balanced: { temperature: 0.8, top_p: 0.95, top_k: 0, min_p: 0 },
  creative: { temperature: 1.2, top_p: 1, top_k: 0, min_p: 0.03 },
};

const state = {
  model: null, mode: "complete", running: null, seed: null,
  before: "", written: "", tokens: [],   // the last completion: what it went on from, what came, its tokens
  past: [],                 // texts to go back to
  chat: [],                 // {role, content, tokens}
};

// An empty field asks for what the page began with.
function value(id) { return $(id).value === "" ? Number($(id).defaultValue) : Number($(id).value); }

function setControl(id, x) { $(id).value = x; $(id + "-range").value = x; }

function makeControls() {
  for (const c of CONTROLS) {
    const number = make("input", { type: "number", id: c.id, min: c.min, max: c.max, step: c.step, defaultValue: c.value });
    const range = make("input", { type: "range", id: c.id + "-range", min: c.min, max: c.max, step: c.step, value: c.value });
    const note = make("p", { className: "soft", id: c.id + "-note", textContent: c.note });
    range.setAttribute("aria-label", c.label + ", slider");
    number.setAttribute("aria-describedby", note.id);
    number.addEventListener("input", () => { range.value = number.value; });
    range.addEventListener("input", () => { number.value = range.value; });
    $("controls").append(make("div", { className: "control" },
      make("label", { htmlFor: c.id, textContent: c.label }), make("div", { className: "pair" }, range, number), note));
  }
  for (const b of document.querySelectorAll("[data-preset]"))
    b.addEventListener("click", () => Object.entries(PRESETS[b.dataset.preset]).forEach(([k, v]) => setControl(k, v)));
  $("reset").addEventListener("click", () => { for (const c of CONTROLS) setControl(c.id, $(c.id).defaultValue); $("stop-texts").value = $("seed").value = ""; });
}

// ---- speaking with the server ----

class Refused extends Error {}

function headers() {
  const key = sessionStorage.getItem("key");
  return { "Content-Type": "application/json", ...(key ? { Authorization: "Bearer " + key } : {}) };
}

async function ask(path, body, signal) {
  const answer = await fetch(path, { headers: headers(), signal, ...(body ? { method: "POST", body: JSON.stringify(body) } : {}) });
  if (answer.ok) return answer;
  $("key-form").hidden = answer.status !== 401;
  let words = answer.status + " " + answer.statusText;
  try { words = (await answer.json()).error.message; } catch { /* not our form */ }
  const later = answer.headers.get("Retry-After");
  throw new Refused(words + (later ? ` (try again in ${later} s)` : ""));
}

async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "", done = false;
  for (;;) {
    const piece = await reader.read();
    if (piece.done) break;
    held += piece.value;
    for (let end; (end = held.indexOf("\n\n")) >= 0; held = held.slice(end + 2)) {
      const data = held.slice(0, end).replace(/^data: /, "");
      if (data === "[DONE]") done = true;
      else if (!data.startsWith(":")) {
        const event = JSON.parse(data);
        if (event.error) throw new Refused(event.error.message);
        yield event;
      }
    }
  }
  if (!done) throw new Refused("The answer was cut off before its end.");
}

// Emptied first, so that the same words are told again.
function say(error) {
  $("error").textContent = "";
  $("error").hidden = !error;
  if (error) requestAnimationFrame(() => { $("error").textContent = error; });
}

// ---- requests ----

// What the server does by itself: not worth a word in a request.
const NEUTRAL = { temperature: 1, top_p: 1, repetition_penalty: 1 };

function sampling() {
  const r = {};
  for (const c of CONTROLS) if (value(c.id) !== (NEUTRAL[c.id] ?? 0)) r[c.id] = value(c.id);
  const stop = $("stop-texts").value.split("\n").filter(s => s).map(s => s.replaceAll("\\n", "\n"));
  if (stop.length) r.stop = stop;
  if ($("seed").value !== "") r.seed = Number($("seed").value);
  return r;
}

function completionRequest(prompt) {
  return { model: state.model.id, prompt, ...sampling(), ...($("probabilities").checked ? { logprobs: 8 } : {}) };
}

function chatRequest() {
  const messages = state.chat.map(({ role, content }) => ({ role, content }));
  if ($("system").value.trim()) messages.unshift({ role: "system", content: $("system").value });
  const { max_tokens, ...rest } = sampling();
  return { model: state.model.id, messages, max_completion_tokens: max_tokens, ...rest, ...($("probabilities").checked ? { logprobs: true, top_logprobs: 8 } : {}) };
}

// ---- tokens: a name stands for its bytes ----

function bytesOf(name) {
  if (/^bytes:(\\x[0-9a-f]{2})+$/.test(name)) return name.slice(6).match(/[0-9a-f]{2}/g).map(h => parseInt(h, 16));
  return [...new TextEncoder().encode(name)];
}

function legacyTokens(logprobs) {
  return logprobs.tokens.map((name, i) => ({
    bytes: bytesOf(name), logprob: logprobs.token_logprobs[i],
    top: Object.entries(logprobs.top_logprobs[i] || {}).map(([n, lp]) => ({ bytes: bytesOf(n), logprob: lp })).sort((a, b) => b.logprob - a.logprob),
  }));
}

const chatTokens = logprobs => logprobs.content.map(t => ({ bytes: t.bytes, logprob: t.logprob, top: t.top_logprobs.map(a => ({ bytes: a.bytes, logprob: a.logprob })) }));

function textOf(bytes) {   // null: no whole characters
  try { return new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes)); } catch { return null; }
}

const isEnd = bytes => textOf(bytes) === state.model.end_of_text;

function shown(bytes) {
  const text = textOf(bytes);
  if (text === null) return { sign: "‹" + bytes.map(b => b.toString(16).padStart(2, "0")).join(" ") + "›" };
  if (text === "") return { sign: "∅" };
  if (isEnd(bytes)) return { sign: "‹end of text›" };
  if (/^ +$/.test(text)) return { sign: "␣".repeat(text.length) };
  return { sign: /^\t+$/.test(text) ? "⇥" : "", text };
}

// Line ends can be seen, and are still there.
function* visible(text) {
  for (const [i, line] of text.split("\n").entries()) {
    if (i) yield* [make("span", { className: "sign", textContent: "⏎" }), "\n"];
    yield line;
  }
}

const percent = logprob => { const p = 100 * Math.exp(logprob); return (p >= 10 ? p.toFixed(0) : p >= 0.1 ? p.toFixed(1) : "< 0.1") + " %"; };
const shade = logprob => { const p = Math.exp(logprob); return p < 0.05 ? "p1" : p < 0.2 ? "p2" : p < 0.5 ? "p3" : p < 0.85 ? "p4" : "p5"; };

function tokenButton(token, index, branch) {
  const { sign, text } = shown(token.bytes);
  const b = make("span", { className: "t " + shade(token.logprob), tabIndex: index ? -1 : 0 });   // a real button does not flow in a text
  if (sign) b.append(make("span", { className: "sign", textContent: sign }));
  if (text !== undefined) b.append(...visible(text));
  b.setAttribute("aria-label", `${JSON.stringify(text ?? sign)}, ${percent(token.logprob)}`);
  b.setAttribute("role", "button");
  b.setAttribute("aria-haspopup", "dialog");
  b.setAttribute("aria-expanded", "false");
  b.addEventListener("mouseenter", () => { clearTimeout(hovering); hovering = setTimeout(() => openAlternatives(b, token, index, branch), 150); });
  b.addEventListener("mouseleave", () => { clearTimeout(hovering); hovering = setTimeout(leaveAlternatives, 300); });
  b.addEventListener("blur", () => setTimeout(leaveAlternatives, 0));
  b.addEventListener("focus", () => givingBack || openAlternatives(b, token, index, branch));
  b.addEventListener("click", () => { openAlternatives(b, token, index, branch); $("alternatives").querySelector("button:not(:disabled)")?.focus(); });
  return b;
}

function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
  if (!event.target.classList.contains("t")) return;
  if (event.key === "Enter" && !event.ctrlKey && !event.metaKey || event.key === " ") { event.preventDefault(); event.target.click(); }
  if (step === undefined) return;
  const all = [...event.currentTarget.querySelectorAll(".t")];
  const at = Math.min(all.length - 1, Math.max(0, all.indexOf(event.target) + step));
  event.preventDefault();
  event.target.tabIndex = -1;
  all[at].tabIndex = 0;
  all[at].focus();
}

let opener = null, givingBack = false, hovering = 0;

// Closes them unless the pointer or the focus is there.
function leaveAlternatives() {
  const at = document.activeElement;
  if (!$("alternatives").matches(":hover") && !$("alternatives").contains(at) && at !== opener) closeAlternatives();
}

function openAlternatives(button, token, index, branch) {
  const box = $("alternatives"), place = button.getBoundingClientRect();
  closeAlternatives();
  opener = button;
  button.setAttribute("aria-expanded", "true");
  box.replaceChildren(make("p", { className: "soft", textContent: branch ? "Choose one to go on from there" : "What else was likely" }));
  for (const a of token.top) {
    const { sign, text } = shown(a.bytes), same = a.bytes.join() === token.bytes.join();
    const fill = make("span", { className: "fill" });
    const row = make("button", { type: "button" }, make("code", { textContent: (sign || "") + (text ?? "").replaceAll("\n", "⏎") }), make("span", { className: "rail" }, fill), make("span", { className: "n", textContent: percent(a.logprob) }));
    fill.style.width = 100 * Math.exp(a.logprob) + "%";
    if (same) row.setAttribute("aria-current", "true");
    row.disabled = !branch || textOf(a.bytes) === null || isEnd(a.bytes);
    row.addEventListener("click", () => { closeAlternatives(); branch(index, a); });
    box.append(row);
  }
  box.hidden = false;
  box.onkeydown = e => {
    const rows = [...box.querySelectorAll("button:not(:disabled)")], at = rows.indexOf(document.activeElement);
    const to = e.key === "ArrowDown" ? at + 1 : e.key === "ArrowUp" ? at - 1 : -1;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") e.preventDefault();
    rows[to]?.focus();
  };
  box.style.left = Math.max(8, Math.min(place.left, innerWidth - box.offsetWidth - 12)) + scrollX + "px";
  const below = place.bottom + 6, above = place.top - box.offsetHeight - 6;
  box.style.top = (below + box.offsetHeight > innerHeight && above > 0 ? above : below) + scrollY + "px";
}

function closeAlternatives(giveBack) {
  $("alternatives").hidden = true;
  opener?.setAttribute("aria-expanded", "false");
  const back = opener;
  opener = null;
  givingBack = giveBack;
  if (giveBack) back?.focus();
  givingBack = false;
}

// ---- completing ----

function showText() {
  const tokens = state.mode === "complete" && $("probabilities").checked && state.tokens.length > 0 && unchanged();
  markWritten();
  $("tokens-view").hidden = !tokens;
  $("text").rows = tokens ? 6 : 13;
  if (tokens) $("tokens").replaceChildren(make("span", { className: "before", textContent: state.before }), ...state.tokens.map((t, i) => tokenButton(t, i, branch)));
}

const wholeText = () => state.before + state.written;
// A text area makes one kind of line end of all of them.
const unchanged = () => $("text").value === wholeText().replace(/\r\n?/g, "\n");

// Marks what the model wrote, on a sheet behind the text area.
function markWritten() {
  const sheet = $("sheet");
  sheet.replaceChildren(...(state.written && unchanged() ? [state.before, make("mark", { textContent: state.written })] : []), "\n");
  sheet.scrollTop = $("text").scrollTop;
}

function branch(index, alternative) {
  const head = textOf([...new TextEncoder().encode(state.before), ...state.tokens.slice(0, index).flatMap(t => t.bytes), ...alternative.bytes]);
  if (head === null) return say("That token is not a whole character: a text cannot go on from it.");
  state.past.push($("text").value);
  $("text").value = head;
  complete();
}

async function complete() {
  if (!state.model || state.running) return;
  state.before = $("text").value;
  state.tokens = [];
  state.written = "";
  await stream("/v1/completions", completionRequest(state.before), choice => {
    state.written += choice.text;
    if (choice.logprobs) state.tokens.push(...legacyTokens(choice.logprobs));
    const atEnd = $("text").scrollTop + $("text").clientHeight >= $("text").scrollHeight - 30;
    $("text").value = wholeText();
    if (atEnd) $("text").scrollTop = $("text").scrollHeight;   // whoever scrolled back reads on there
    markWritten();
  });
  showText();
  countTokens();
}

// ---- chatting ----

function drawChat() {
  $("messages").replaceChildren(...state.chat.map((m, i) => {
    const who = make("div", { className: "who" }, m.role === "user" ? "You" : state.model.id);
    const button = (words, act) => { const b = make("button", { type: "button", textContent: words }); b.addEventListener("click", () => act(b)); who.append(b); };
    if (m.role === "user") button("Edit", () => { if (state.running) return; $("say").value = m.content; state.chat.length = i; drawChat(); $("say").focus(); });
    else button("Copy", b => copy(m.content, b));
    const body = make("div");
    if (m.tokens?.length && $("probabilities").checked) { body.append(...m.tokens.map((t, k) => tokenButton(t, k, null))); body.addEventListener("keydown", walk); }
    else body.textContent = m.content;
    return make("li", { className: m.role }, who, body);
  }));
}

async function answerChat() {
  const request = chatRequest(), m = { role: "assistant", content: "", tokens: [] };
  state.chat.push(m);
  drawChat();
  const body = $("messages").lastElementChild.lastElementChild;
  let pending = false;   // not for each token: that would be many a second
  await stream("/v1/chat/completions", request, choice => {
    m.content += choice.delta.content || "";
    if (choice.logprobs) m.tokens.push(...chatTokens(choice.logprobs));
    if (!pending) { pending = true; setTimeout(() => { pending = false; body.textContent = m.content; }, 120); }
  });
  if (!m.content && $("error").hidden === false) state.chat.pop();
  else $("told").textContent = m.content;   // a screen reader hears an answer once, when it is whole
  setTimeout(drawChat, 130);
}

function sendMessage() {
  if (!state.model || state.running || !$("say").value.trim()) return;
  state.chat.push({ role: "user", content: $("say").value });
  $("say").value = "";
  answerChat();
}

// ---- one answer, as it comes ----

async function stream(path, request, take) {
  const start = performance.now(), control = new AbortController();
  let first = 0, usage = null, finish = null;
  state.running = control;
  buttons();
  say("");
  closeAlternatives();
  $("stats").textContent = "…";
  try {
    const answer = await ask(path, { ...request, stream: true, stream_options: { include_usage: true } }, control.signal);
    for await (const event of events(answer)) {
      state.seed = event.seed;
      usage = event.usage || usage;
      for (const choice of event.choices) {
        first ||= performance.now();
        finish = choice.finish_reason || finish;
        take(choice);
      }
    }
  } catch (e) {
    if (e.name === "AbortError") finish = "stopped";
    else say(e instanceof Refused ? e.message : "The server cannot be reached: " + e.message);
  }
  state.running = null;
  const seconds = (performance.now() - (first || start)) / 1000, n = usage?.completion_tokens;
  $("stats").textContent = [n !== undefined ? `${n} tokens` : "", n > 1 ? `${Math.round((n - 1) / seconds)} a second` : "",
    first ? `first after ${Math.round(first - start)} ms` : "", finish ? "ended: " + { length: "all tokens written", stop: "end of text", stopped: "stopped" }[finish] : "",
    state.seed !== null ? "seed " + state.seed : ""].filter(s => s).join(" · ");
  buttons();
}

function buttons() {
  const busy = state.running !== null;
  $("text").readOnly = busy;
  $("go").disabled = busy || !state.model;
  $("go").textContent = state.mode === "chat" ? "Send" : "Generate";
  $("stop").disabled = !busy;
  $("again").disabled = busy || (state.mode === "chat" ? state.chat.length === 0 : !state.written);
  $("undo").disabled = busy || (state.mode === "chat" ? state.chat.length === 0 : state.past.length === 0);
  $("keep-seed").disabled = state.seed === null;
}

function go() {
  if (state.running) return;
  if (state.mode === "chat") return sendMessage();
  state.past.push($("text").value);
  complete();
}

function again() {
  if (state.mode === "chat") {
    if (state.chat.at(-1)?.role === "assistant") state.chat.pop();
    return answerChat();
  }
  $("text").value = state.before;
  complete();
}

function undo() {
  if (state.mode === "chat") {
    const at = Math.max(0, state.chat.findLastIndex(m => m.role === "user"));
    $("say").value = state.chat[at].content;   // nothing that was written is lost
    state.chat.length = at;
    drawChat();
    return buttons();
  }
  $("text").value = state.past.pop();
  state.tokens = [];
  state.written = "";
  showText();
  countTokens();
  buttons();
}

// ---- how much of the context is in use ----

let counting = 0, asked = 0;
function countTokens() {
  clearTimeout(counting);
  counting = setTimeout(async () => {
    const mine = ++asked;
    let words = "", share = 0;
    if (!state.model) return;
    try {
      const { count } = await (await ask("/tokenize", { prompt: $("text").value })).json();
      words = `${count} of ${state.model.context} tokens`;
      share = count / state.model.context;
    } catch (e) {
      words = /context/.test(e.message) ? "longer than the context" : "tokens not counted";
      share = words.startsWith("longer") ? 1 : 0;
    }
    if (mine !== asked) return;   // a later question is on its way
    $("count").textContent = words;
    $("context").value = share;
  }, 250);
}

// ---- the request as code ----

const shell = s => "'" + s.replaceAll("'", "'\\''") + "'";
function python(v) {
  if (v === null) return "None";
  if (typeof v === "boolean") return v ? "True" : "False";
  if (Array.isArray(v)) return "[" + v.map(python).join(", ") + "]";
  if (typeof v === "object") return "{" + Object.entries(v).map(([k, x]) => JSON.stringify(k) + ": " + python(x)).join(", ") + "}";
  return JSON.stringify(v);
}

function code(language) {
  const chat = state.mode === "chat", path = chat ? "/v1/chat/completions" : "/v1/completions";
  const request = chat ? chatRequest() : completionRequest(state.written ? state.before : $("text").value);
  const key = sessionStorage.getItem("key") ? "YOUR-KEY" : null;
  if (language === "curl")
    return `curl ${shell(location.origin + path)} \\\n  -H 'Content-Type: application/json' \\\n${key ? "  -H 'Authorization: Bearer YOUR-KEY' \\\n" : ""}  -d ${shell(JSON.stringify(request, null, 2))}\n`;
  if (language === "javascript")
    return `const answer = await fetch(${JSON.stringify(location.origin + path)}, {\n  method: "POST",\n  headers: {"Content-Type": "application/json"${key ? ', Authorization: "Bearer YOUR-KEY"' : ""}},\n  body: JSON.stringify(${JSON.stringify(request, null, 2).replaceAll("\n", "\n  ")}),\n});\nconsole.log((await answer.json()).choices[0].${chat ? "message.content" : "text"});\n`;
  const extra = Object.fromEntries(CONTROLS.filter(c => c.extra && c.id in request).map(c => [c.id, request[c.id]]));
  const own = Object.entries(request).filter(([k]) => !(k in extra)).map(([k, v]) => `    ${k}=${python(v)},\n`).join("");
  return `from openai import OpenAI\n\nclient = OpenAI(base_url=${JSON.stringify(location.origin + "/v1")}, api_key=${JSON.stringify(key || "none needed")})\nanswer = client.${chat ? "chat.completions" : "completions"}.create(\n${own}${Object.keys(extra).length ? `    extra_body=${python(extra)},\n` : ""})\nprint(answer.choices[0].${chat ? "message.content" : "text"})\n`;
}

// The button says how it went: it is in sight, in a dialog, too.
async function copy(text, button) {
  const words = button.dataset.words ??= button.textContent;
  try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; } catch { button.textContent = "The browser forbids it: select the text"; }
  setTimeout(() => { button.textContent = words; }, 2000);
}

// ---- the model card: headings, lists, tables, code, paragraphs ----

const ITEM = /^\s*([-*]|\d+\.) /;

function renderMarkdown(text, into) {
  const lines = text.replace(/\r\n?/g, "\n").replace(/^---\n[\s\S]*?\n---\n/, "").split("\n");
  const plain = s => s.replace(/\[([^\]]*)\]\(([^)]*)\)/g, "$1 ($2)").replace(/(\*\*|`)(.*?)\1/g, "$2");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (/^```/.test(line)) {
      const from = ++i;
      while (i < lines.length && !/^```/.test(lines[i])) i++;
      into.append(make("pre", { textContent: lines.slice(from, i).join("\n") }));
    } else if (/^#+ /.test(line)) into.append(make("h3", { textContent: plain(line.replace(/^#+ /, "")) }));
    else if (/^\|/.test(line)) {
      const table = make("table");
      for (; i < lines.length && /^\|/.test(lines[i]); i++)
        if (!/^[|\s:-]+$/.test(lines[i])) table.append(make("tr", {}, ...lines[i].split("|").slice(1, -1).map(c => make(table.rows.length ? "td" : "th", { textContent: plain(c.trim()) }))));
      i--;
      into.append(table);
    } else if (/^(-{3,}|\*{3,}|_{3,})\s*$/.test(line)) into.append(make("hr"));
    else if (ITEM.test(line)) {
      const list = make(/\d/.test(line.match(ITEM)[1]) ? "ol" : "ul");
      for (; i < lines.length && ITEM.test(lines[i]); i++) list.append(make("li", { textContent: plain(lines[i].replace(ITEM, "")) }));
      i--;
      into.append(list);
    } else if (line.trim()) {
      const from = i;
      while (i + 1 < lines.length && lines[i + 1].trim() && !/^(```|#|\|)/.test(lines[i + 1]) && !ITEM.test(lines[i + 1])) i++;
      into.append(make("p", { textContent: plain(lines.slice(from, i + 1).join(" ")) }));
    }
  }
}

async function showCard() {
  const m = state.model, box = $("card-text");
  box.replaceChildren();
  if (m) box.append(make("table", {}, ...[["name", m.id], ["parameters", m.parameters.toLocaleString()], ["context", m.context + " tokens"], ["vocabulary", m.vocab.toLocaleString()], ["computes in", m.dtype]]
    .map(([k, v]) => make("tr", {}, make("th", { textContent: k, scope: "row" }), make("td", { textContent: v })))));
  try { renderMarkdown(await (await ask("/model_card")).text(), box); } catch (e) { box.append(make("p", { className: "soft", textContent: e.message })); }
  $("card").showModal();
}

// ---- the page ----

function setMode(mode) {
  state.mode = mode;
  for (const m of ["complete", "chat"]) {
    $("tab-" + m).setAttribute("aria-selected", String(m === mode));
    $("tab-" + m).tabIndex = m === mode ? 0 : -1;
    $(m).hidden = m !== mode;
  }
  $("count").hidden = $("context").hidden = mode === "chat";
  if (mode === "chat") $("tokens-view").hidden = true; else showText();
  closeAlternatives();
  buttons();
}

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
}

function useKey() {
  const key = $("key").value.trim();
  if (!/^[!-~]*$/.test(key)) return say("A key has letters, digits and signs of ASCII only, without spaces.");
  sessionStorage.setItem("key", key);
  meetModel();
}

async function meetModel() {
  try {
    const m = (await (await ask("/v1/models")).json()).data[0];
    state.model = m;
    $("key-form").hidden = true;
    say("");
    $("name").textContent = document.title = m.id;
    $("facts").textContent = `${m.parameters.toLocaleString()} parameters · context of ${m.context} tokens · ${m.dtype}`;
    const most = Math.max(1, m.context - 1);
    for (const e of [$("max_tokens"), $("max_tokens-range")]) e.max = most;
    $("max_tokens").defaultValue = Math.min(120, Math.floor(m.context / 2));
    setControl("max_tokens", $("max_tokens").defaultValue);
    countTokens();
  } catch (e) { say(e.message); }
  buttons();
}

function listen() {
  const on = (id, act, type = "click") => $(id).addEventListener(type, act);
  on("go", go);
  on("stop", () => state.running?.abort());
  on("again", again);
  on("undo", undo);
  on("text", () => { countTokens(); showText(); }, "input");
  on("text", () => { $("sheet").scrollTop = $("text").scrollTop; }, "scroll");
  on("probabilities", () => { localStorage.setItem("probabilities", $("probabilities").checked); showText(); drawChat(); }, "change");
  on("keep-seed", () => { $("seed").value = state.seed; });
  on("theme", () => setTheme($("theme").value), "change");
  on("tokens", walk, "keydown");
  on("show-card", showCard);
  on("show-help", () => $("help").showModal());
  on("show-code", () => { if (state.model) { $("code-text").textContent = code($("language").value); $("code").showModal(); } });
  on("language", () => { $("code-text").textContent = code($("language").value); }, "change");
  on("copy-code", () => copy($("code-text").textContent, $("copy-code")));
  on("key-form", e => { e.preventDefault(); useKey(); }, "submit");
  for (const b of document.querySelectorAll("[data-close]")) b.addEventListener("click", () => b.closest("dialog").close());
  for (const m of ["complete", "chat"]) {
    on("tab-" + m, () => setMode(m));
    on("tab-" + m, e => { if (e.key === "ArrowRight" || e.key === "ArrowLeft") { const other = m === "chat" ? "complete" : "chat"; setMode(other); $("tab-" + other).focus(); } }, "keydown");
  }
  document.addEventListener("keydown", e => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); go(); }
    else if (e.key === "Escape" && !document.querySelector("dialog[open]")) { if (!$("alternatives").hidden) closeAlternatives(true); else state.running?.abort(); }
  });
  document.addEventListener("pointerdown", e => { if (!e.target.closest("#alternatives, .t")) closeAlternatives(); });
}

makeControls();
listen();
$("theme").value = localStorage.getItem("theme") || "auto";
setTheme($("theme").value);
$("probabilities").checked = localStorage.getItem("probabilities") !== "false";
buttons();
meetModel();
