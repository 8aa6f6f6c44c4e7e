// What every page can do with a script: copying, times that stay true, the listener's time zone.

for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    // without https, browsers give pages no clipboard: select it, so that one key copies it
    getSelection().selectAllChildren(code);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});

const zone = document.querySelector("[data-time-zone]");
if (zone && zone.value === "UTC") zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

// "3 min ago" is only true for a minute. Times of other days show the clock, and stay.
function tellTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    if (!/^just now$| ago$/.test(time.textContent)) continue;
    const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
    const text = seconds < 60 ? "just now"
      : seconds < 3600 ? `${Math.floor(seconds / 60)} min ago`
      : `${Math.floor(seconds / 3600)} h ago`;
    if (time.textContent !== text) time.textContent = text;
  }
}
setInterval(() => { if (!document.hidden) tellTimes(); }, 20000);

// A heart is sent without leaving the page; where there is no line on which news comes, the page is drawn anew.
document.addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (event.target.id !== "feedback" || !button) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target));
  body.set(button.name, button.value);
  button.setAttribute("aria-pressed", button.value === "1" ? "true" : "false");
  button.value = button.value === "1" ? "0" : "1";
  const answer = await fetch(button.formAction, { method: "POST", body, redirect: "manual" }).catch(() => null);
  if (!answer || (answer.type !== "opaqueredirect" && !answer.ok)) location.reload();
});

// A page that counts (lanes) is drawn anew while somebody looks.
const counting = document.querySelector("main[data-refresh]");
if (counting) {
  setInterval(async () => {
    if (document.hidden) return;
    const focused = document.activeElement?.closest("main");
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (drawn && !focused?.querySelector(":focus")) counting.replaceChildren(...drawn.childNodes);
  }, Number(counting.dataset.refresh) * 1000);
}
