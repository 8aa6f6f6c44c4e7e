// What waits says for what and how long: "Asking MusicBrainz, 12 names ahead, about 9 s".
//
// Asked of the server in one go for all that waits and can be seen; counted down here. Asked again when something was
// told on the live line or the page changed, or when half of the shortest wait is over: at most every three seconds, and
// not at all while nothing waits or nobody looks.

const LEAST = 3000; // ms between two questions
const MOST = 30000;
const MANY = 100; // plays in one question

const home = document.documentElement.dataset.home ?? ""; // the sub-path, where there is one
const told = new Map(); // play's id -> { words, until }
let asked = -LEAST; // when, by performance.now()
let timer = 0;
let busy = false;

const rows = () => [...document.querySelectorAll(".play[data-awaits]")].filter((row) => row.dataset.awaits.trim());
const lines = () => [...document.querySelectorAll("[data-waits]")];
const isSeen = (element) => {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > -innerHeight && top < 2 * innerHeight;
};

function span(ms) {
  const seconds = ms / 1000;
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function about(wait) {
  const left = wait.until - Date.now();
  return left > 500 ? `about ${span(left)}` : "any moment now";
}

function left(wait) { // in a row there is room for little
  const ms = wait.until - Date.now();
  return ms > 500 ? ` · ${span(ms)}` : "";
}

function put(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function tell() {
  for (const row of rows()) {
    const wait = told.get(row.dataset.key);
    if (!wait) continue;
    const words = `${wait.words}, ${about(wait)}`;
    const state = row.querySelector(".state.pending");
    put(state?.querySelector(".left"), left(wait)); // its room is kept, so that nothing moves
    for (const element of [state, row.querySelector(".cover")]) if (element && element.title !== words) element.title = words;
  }
  for (const line of lines()) {
    const wait = told.get(line.dataset.waits);
    line.hidden = !wait;
    if (wait) put(line, `${wait.words}, ${about(wait)}.`);
  }
}

function waiting() {
  return [...rows().filter(isSeen).map((row) => row.dataset.key), ...lines().map((line) => line.dataset.waits)].slice(0, MANY);
}

async function ask() {
  timer = 0;
  const ids = waiting();
  if (!ids.length || document.hidden || busy) return;
  busy = true;
  asked = performance.now();
  try {
    const answer = await fetch(`${home}/fragments/waiting?ids=${ids.join()}`);
    if (!answer.ok || answer.redirected) return;
    told.clear();
    for (const { id, words, seconds } of await answer.json()) told.set(String(id), { words, until: Date.now() + 1000 * seconds });
    tell();
  } catch {
    // the server is away: the live line tells when it is back
  } finally {
    busy = false;
    soon(Math.min(MOST, (Math.min(...[...told.values()].map(({ until }) => until)) - Date.now()) / 2));
  }
}

// Ask in so many ms, or earlier where that is planned; never sooner than allowed.
function soon(ms = 0) {
  const at = Math.max(performance.now() + ms, asked + LEAST);
  if (timer && soon.at <= at) return;
  clearTimeout(timer);
  soon.at = at;
  timer = setTimeout(ask, at - performance.now());
}

document.addEventListener("sleevenotes:heard", () => { if (waiting().length) soon(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
addEventListener("scroll", () => { if (waiting().some((id) => !told.has(id))) soon(300); }, { passive: true });
new MutationObserver((changes) => {
  // what we write ourselves are texts; rows and pages that were drawn anew are elements
  if (!changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.nodeType === Node.ELEMENT_NODE))) return;
  tell();
  if (waiting().some((id) => !told.has(id))) soon(100);
}).observe(document.querySelector("main"), { childList: true, subtree: true });
setInterval(() => { if (told.size && !document.hidden) tell(); }, 1000);
soon();
