// Says beside a part of the page that renews itself when it could not be fetched: it may be out of date then.
function mark(event, isStale) {
  const line = event.detail.elt.querySelector("[data-stale]");
  if (line !== null) line.hidden = !isStale;
}

for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"])
  document.addEventListener(failure, (event) => mark(event, true));
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) mark(event, false);
});

// "4 minutes ago" stays true while a page is open. The same words as the server's: src/web/settings/words/format.ts.
const MINUTE = 60_000;
const count = (value, noun) => `${value} ${noun}${value === 1 ? "" : "s"}`;

function distance(milliseconds) {
  const minutes = Math.floor(Math.abs(milliseconds) / MINUTE);
  if (minutes < 1) return milliseconds > 5_000 ? "in less than a minute" : "just now";
  const length = minutes < 60 ? count(minutes, "minute") : count(Math.floor(minutes / 60), "hour");
  return milliseconds > 0 ? `in ${length}` : `${length} ago`;
}

function tellTimes() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const away = Date.parse(time.dateTime) - Date.now();
    time.textContent = Math.abs(away) < 1440 * MINUTE ? distance(away) : time.title;
  }
}

setInterval(tellTimes, MINUTE / 2);
