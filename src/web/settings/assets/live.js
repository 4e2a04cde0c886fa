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
