// The page follows what happens: plays arrive, covers appear, without reloading.
//
// Facts come as server-sent events (GET /live); what they change is fetched as drawn fragments and put in place by
// key. A burst (an import tells thousands) is gathered: one fetch of a kind is under way at most, and a pause follows.
// A fact that arrives while a fragment is being fetched may be newer than the fragment; it is therefore remembered
// by number, and what still waits after the swap is fetched again.

const PAUSE = 300; // ms between two fetches of one kind
const AGAIN = 5000; // ms until what was not to be had is asked for again
const REMEMBER = 5000;

const home = document.documentElement.dataset.home ?? ""; // the sub-path, where there is one
const main = document.querySelector("main");
const feed = document.querySelector("#days");
const newest = main.dataset.page === "newest";

let cursor = document.body.dataset.cursor;
let line = null;
let number = 0; // of the latest fact
const heard = { lookup: new Map(), group: new Map(), search: new Map() }; // id -> number of the latest fact about it

function remember(kind, ids) {
  number += 1;
  for (const id of ids) {
    heard[kind].delete(id);
    heard[kind].set(id, number);
  }
  while (heard[kind].size > REMEMBER) heard[kind].delete(heard[kind].keys().next().value);
}

// Whatever this element shows, was something told about it after that fact?
function outdated(element, since) {
  const { lookup, group } = element.dataset;
  return (heard.lookup.get(lookup) ?? 0) > since || (heard.group.get(group) ?? 0) > since;
}

// ---------------------------------------------------------------- gathering

function gathered(work) {
  let wanted = false, busy = false;
  async function run() {
    wanted = true;
    if (busy || document.hidden) return;
    busy = true;
    while (wanted && !document.hidden) {
      let pause = PAUSE;
      wanted = false;
      try { await work(); } catch (error) {
        wanted = error instanceof Away; // the line may be open all the while: nobody else would tell
        if (wanted) pause = AGAIN;
      }
      await new Promise((done) => setTimeout(done, pause));
    }
    busy = false;
  }
  document.addEventListener("visibilitychange", () => { if (wanted) run(); });
  return run;
}

class Away extends Error {} // the server, or it is in trouble: worth another try

async function drawn(address) {
  const lost = () => { throw new Away(address); };
  const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(lost);
  if (answer.status === 401) location.reload(); // the session has ended: the server shows the login
  if (answer.status === 429 || answer.status >= 500) lost();
  if (!answer.ok || answer.redirected) throw new Error(`${address}: ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text().catch(lost), "text/html");
}

// ---------------------------------------------------------------- swapping

function swap(old, fresh) {
  if (old.dataset.state === fresh.dataset.state && old.dataset.awaits === fresh.dataset.awaits) return old;
  const focus = old.contains(document.activeElement);
  if (fresh.querySelector(".front") && !old.querySelector(".front")) fresh.classList.add("arrives");
  old.replaceWith(fresh);
  if (focus) (fresh.querySelector("a.title") ?? fresh.querySelector("a"))?.focus({ preventScroll: true });
  return fresh;
}

// Make `list` hold what `wanted` holds, in its order, keeping the elements that have not changed.
function settle(list, wanted, each) {
  const kept = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let at = list.firstElementChild;
  for (const fresh of [...wanted.children]) {
    const old = kept.get(fresh.dataset.key);
    kept.delete(fresh.dataset.key);
    if (!old) {
      fresh.classList.add("fresh");
      list.insertBefore(fresh, at);
      continue;
    }
    const now = each(old, fresh);
    if (old === at) at = now;
    if (now === at) at = at.nextElementSibling;
    else list.insertBefore(now, at);
  }
  for (const gone of kept.values()) gone.remove();
}

function settleDay(old, fresh) {
  const [from, to] = [old.querySelector("ol"), fresh.querySelector("ol")];
  if (!from || !to) { old.replaceWith(fresh); return fresh; }
  const [head, drawnHead] = [old.querySelector("header"), fresh.querySelector("header")];
  if (head.textContent !== drawnHead.textContent) head.replaceChildren(...drawnHead.childNodes);
  settle(from, to, swap);
  return old;
}

// ---------------------------------------------------------------- the feed, what plays now, one page

const dirty = new Set(); // keys of rows to fetch

const fetchFeed = gathered(async () => {
  const since = number;
  const fresh = (await drawn(`${home}/fragments/feed`)).querySelector("#days");
  const before = new Set([...feed.querySelectorAll(".play")].map((row) => row.dataset.key));
  feed.dataset.app = fresh.dataset.app;
  settle(feed, fresh, settleDay);
  const rows = [...feed.querySelectorAll(".play")];
  document.querySelector("#empty")?.toggleAttribute("hidden", rows.length > 0);
  tell(rows.filter((row) => !before.has(row.dataset.key)).length);
  again(rows, since);
});

const fetchRows = gathered(async () => {
  const since = number;
  const keys = [...dirty].slice(0, 100);
  for (const key of keys) dirty.delete(key);
  if (!keys.length) return;
  const address = `${home}/fragments/plays?ids=${keys.join()}&app=${encodeURIComponent(feed.dataset.app ?? "")}`;
  const page = await drawn(address).catch((error) => {
    for (const key of keys) dirty.add(key);
    throw error;
  });
  const rows = [...page.querySelectorAll(".play")];
  again(rows.map((fresh) => {
    const old = document.getElementById(fresh.id);
    return old ? swap(old, fresh) : fresh;
  }), since);
  if (dirty.size) fetchRows();
});

// Rows that still wait, though something was told about them since they were asked for: once more.
function again(rows, since) {
  for (const row of rows) if (row.dataset.awaits && outdated(row, since)) dirty.add(row.dataset.key);
  if (dirty.size) fetchRows();
}

let ending = 0;
const fetchNow = gathered(async () => {
  const old = document.querySelector("#now");
  const fresh = (await drawn(`${home}/fragments/now`)).querySelector("#now");
  // replaced only when it changed, or the disc would jump
  if (old.dataset.state !== fresh.dataset.state || old.dataset.awaits !== fresh.dataset.awaits) {
    if (fresh.querySelector(".front")) fresh.classList.add("arrives");
    old.replaceWith(fresh);
  } else old.dataset.until = fresh.dataset.until ?? "";
  waitForTheEnd();
});

function waitForTheEnd() {
  clearTimeout(ending);
  const until = Date.parse(document.querySelector("#now")?.dataset.until ?? "");
  if (until) ending = setTimeout(fetchNow, Math.max(1000, until - Date.now() + 1000));
}

const own = (kind) => (main.dataset[{ lookup: "lookups", group: "groups", search: "searches" }[kind]] ?? "").split(",");

const fetchPage = gathered(async () => {
  const since = number;
  const fresh = (await drawn(location.href)).querySelector("main");
  if (fresh.querySelector(".front") && !main.querySelector(".front")) fresh.firstElementChild.classList.add("arrives");
  const typed = [...main.querySelectorAll("input[id]")].filter((field) =>
    field.value !== field.defaultValue || field.checked !== field.defaultChecked);
  const focused = main.contains(document.activeElement) ? document.activeElement.id : "";
  main.replaceChildren(...fresh.childNodes);
  Object.assign(main.dataset, fresh.dataset);
  for (const old of typed) {
    const field = document.getElementById(old.id);
    if (!field) continue;
    if (field.type === "file") field.replaceWith(old); // no script may write what was picked
    else Object.assign(field, { value: old.value, checked: old.checked });
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  // Only now does the page know its album: what was told of it meanwhile was nobody's.
  if (Object.keys(heard).some((kind) => own(kind).some((id) => (heard[kind].get(id) ?? 0) > since))) fetchPage();
});

// ---------------------------------------------------------------- hearing

let told = 0;
function tell(count) {
  if (!count) return;
  told += count;
  const news = document.querySelector("#news");
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => {
    news.textContent = told === 1 ? "1 new play" : `${told} new plays`;
    told = 0;
  }, 1000);
}

function about(kind, ids) {
  ids = ids.map(String);
  remember(kind, ids);
  const concerned = new Set(ids);
  if (feed) {
    for (const row of feed.querySelectorAll(".play")) if (concerned.has(row.dataset[kind])) dirty.add(row.dataset.key);
    if (dirty.size) fetchRows();
  }
  const now = document.querySelector("#now");
  if (now?.dataset.awaits && (concerned.has(now.dataset[kind]) || kind === "group")) fetchNow();
  if ("live" in main.dataset && own(kind).some((id) => concerned.has(id))) fetchPage();
}

function everything() {
  if (feed && newest) { fetchFeed(); fetchNow(); }
  else if (feed) { for (const row of feed.querySelectorAll(".play")) dirty.add(row.dataset.key); fetchRows(); }
  else fetchPage();
}

// A track is loved, or no longer: its rows are drawn again, and its page.
function loved(key) {
  for (const row of feed?.querySelectorAll(".play") ?? []) if (row.dataset.track === key) dirty.add(row.dataset.key);
  if (dirty.size) fetchRows();
  if (!feed && main.dataset.track === key) fetchPage();
}

const facts = {
  scrobbles_stored: () => { if (feed && newest) fetchFeed(); },
  scrobbles_deleted: ({ ids }) => {
    if (feed && newest) fetchFeed();
    else for (const id of ids) document.getElementById(`p${id}`)?.remove();
  },
  scrobbles_edited: ({ ids }) => { if (feed && newest) fetchFeed(); else if (feed) { for (const id of ids) dirty.add(String(id)); fetchRows(); } },
  now_playing_changed: () => { if (newest) fetchNow(); },
  lookups_decided: ({ ids }) => about("lookup", ids),
  previews_shown: ({ ids }) => about("lookup", ids),
  artwork_decided: ({ release_group_ids }) => about("group", release_group_ids),
  feedback_given: ({ track_key }) => loved(track_key),
  covers_chosen: ({ lookup_ids, release_group_ids }) => {
    about("lookup", lookup_ids);
    about("group", release_group_ids);
  },
  searches_answered: ({ ids }) => about("search", ids),
  import_changed: (fact) => document.dispatchEvent(new CustomEvent("import_changed", { detail: fact })),
  reset: everything,
};

function listen() {
  if (line || document.hidden) return;
  line = new EventSource(`${home}/live?after=${encodeURIComponent(cursor)}`);
  for (const [kind, does] of Object.entries(facts)) {
    line.addEventListener(kind, (event) => {
      cursor = event.lastEventId || cursor;
      does(JSON.parse(event.data));
      document.dispatchEvent(new CustomEvent("sleevenotes:heard", { detail: kind })); // waiting.js: who waits, waits less
    });
  }
  line.addEventListener("error", () => {
    if (line?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    line = null;
    setTimeout(listen, 5000);
  });
}

// Browsers allow six connections to a host: a page nobody sees gives its own back, and catches up later.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { line?.close(); line = null; }
  else { listen(); if (newest) fetchNow(); }
});
addEventListener("pagehide", () => { line?.close(); line = null; });
addEventListener("pageshow", listen);
listen();
waitForTheEnd();
