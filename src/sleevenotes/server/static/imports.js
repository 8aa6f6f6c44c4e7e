// Imports: a file dropped or chosen is sent with its progress shown, and what follows an import is drawn anew when the
// server tells that it has moved on (live.js hears it). Without this script, everything works by forms and reloading.

const form = document.querySelector("form.drop");

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function complain(words) {
  const problem = form.querySelector(".problem");
  problem.textContent = words;
  problem.hidden = !words;
}

function said(request) {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  return page.querySelector("main .lead, main p")?.textContent.trim() || `The server answered ${request.status}.`;
}

function send(files) {
  const limit = Number(form.dataset.limit);
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size > limit) {
    complain(`${files.length > 1 ? "They have" : `${files[0].name} has`} ${megabytes(size)}; this server takes ${megabytes(limit)} at once. Compress it, or import it on the server.`);
    return;
  }
  complain("");
  const [bar, words] = [form.querySelector(".sending progress"), form.querySelector(".sending p")];
  const body = new FormData();
  const token = form.querySelector("input[type=hidden]");
  body.append(token.name, token.value); // before the file: the server looks at it first
  for (const file of files) body.append("file", file, file.name);
  const request = new XMLHttpRequest(); // fetch tells no progress of what it sends
  request.open("POST", form.action);
  request.upload.addEventListener("progress", (event) => {
    bar.value = event.loaded / event.total;
    words.textContent = event.loaded < event.total ? `${megabytes(event.loaded)} of ${megabytes(event.total)} sent` : "Looking at it…";
  });
  request.addEventListener("load", () => {
    if (request.status < 400) { location.assign(request.responseURL); return; }
    done();
    complain(said(request));
  });
  request.addEventListener("error", () => { done(); complain("The file did not arrive: the connection broke. Nothing was kept; try again."); });
  form.querySelector(".sending").hidden = false;
  form.querySelector("button").disabled = true;
  request.send(body);
}

function done() {
  form.querySelector(".sending").hidden = true;
  form.querySelector("button").disabled = false;
}

if (form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send([...form.querySelector("#file").files]);
  });
  // a drop that misses the frame must not open the file in place of the page
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
  form.addEventListener("dragenter", () => form.classList.add("over"));
  form.addEventListener("dragleave", (event) => { if (!form.contains(event.relatedTarget)) form.classList.remove("over"); });
  form.addEventListener("drop", (event) => {
    form.classList.remove("over");
    const files = [...event.dataTransfer.files];
    if (files.length) send(files);
  });
}

// ---------------------------------------------------------------- following

const PAUSE = 400; // ms between two fetches
let wanted = false, busy = false;

async function follow() {
  wanted = true;
  if (busy || document.hidden) return;
  busy = true;
  while (wanted) {
    wanted = false;
    const old = document.querySelector("[data-follow]");
    const answer = await fetch(location.href).catch(() => null);
    if (old && answer?.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-follow]");
      if (fresh && !old.querySelector("form :focus")) {
        old.replaceChildren(...fresh.childNodes);
        old.toggleAttribute("data-going", fresh.hasAttribute("data-going"));
      }
    }
    await new Promise((rest) => setTimeout(rest, PAUSE));
  }
  busy = false;
}

if (document.querySelector("[data-follow]")) {
  document.addEventListener("import_changed", follow);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) follow(); });
}
