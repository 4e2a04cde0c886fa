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

// Keys for whoever knows the site: "/" searches, "g" and a letter goes, "?" helps. Never while one types.
// In a list, "j" and "k" go from row to row; on a contact's page, to the next and the one before.
const PLACES = { a: "/settings/activity", o: "/settings", s: "/settings/senders", w: "/settings/workflows" };
let isGoing = false;

function goTo(step) {
  const neighbor = document.querySelector(`.neighbors a[rel=${step > 0 ? "next" : "prev"}]`);
  if (neighbor !== null) return location.assign(neighbor.href);
  const rows = [...document.querySelectorAll("main tbody tr")];
  const links = rows.map((row) => row.querySelector("a")).filter((link) => link !== null);
  const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step;
  links[next]?.focus();
}

document.addEventListener("keydown", (event) => {
  const { key, target, ctrlKey, metaKey, altKey } = event;
  if (ctrlKey || metaKey || altKey || target.closest("input, select, textarea, [contenteditable]")) return;
  const place = isGoing && Object.hasOwn(PLACES, key) ? PLACES[key] : undefined;
  isGoing = key === "g";
  if (place !== undefined) location.assign(place);
  if (key === "j" || key === "k") goTo(key === "j" ? 1 : -1);
  if (key === "?") location.assign("/settings/help");
  const search = document.querySelector("input[type=search]");
  if (key !== "/" || search === null) return;
  event.preventDefault();
  search.focus();
});

// What was typed and not saved is not lost by a wrong click.
let isTyped = false;
for (const editor of document.querySelectorAll("form.editor")) {
  editor.addEventListener("input", () => (isTyped = true));
  editor.addEventListener("submit", () => (isTyped = false));
}
addEventListener("beforeunload", (event) => {
  if (isTyped) event.preventDefault();
});

// The shares of a rotation follow its weights while one types; without script they do so at the next button.
function tellShares(form) {
  const fields = [...form.querySelectorAll("input[name^=weight_]")];
  const weights = fields.map(({ value }) => Math.max(0, Number(value.replace(",", ".")) || 0));
  const shares = sharesOf(weights);
  fields.forEach((field, index) => {
    const share = form.querySelector(`[data-share="${field.name.slice("weight_".length)}"]`);
    if (share !== null) share.textContent = `${shares[index]}%`;
  });
}

// Whole percentages that add up to 100, as the page itself has them (policy/shares.ts).
function sharesOf(weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return weights.map(() => 0);
  const exact = weights.map((weight) => (100 * weight) / total);
  const shares = exact.map(Math.floor);
  const rest = 100 - shares.reduce((sum, share) => sum + share, 0);
  const byLoss = exact.map((share, index) => ({ index, loss: share - Math.floor(share) }));
  byLoss.sort((left, right) => right.loss - left.loss || left.index - right.index);
  for (const { index } of byLoss.slice(0, rest)) shares[index] += 1;
  return shares;
}

document
  .getElementById("rotation")
  ?.addEventListener("input", ({ currentTarget }) => tellShares(currentTarget));

// One box for all rows of a form's page; without script there is none. The rows may be fetched again.
const rowsOf = (form) => [...form.elements].filter(({ type, name }) => type === "checkbox" && name !== "");

function tellPicked(label) {
  const boxes = rowsOf(label.closest("form"));
  const picked = boxes.filter(({ checked }) => checked).length;
  const all = label.querySelector("input");
  all.checked = picked > 0 && picked === boxes.length;
  all.indeterminate = picked > 0 && picked < boxes.length;
  label.hidden = all.disabled;
  const told = label.closest("form").querySelector("[data-picked]");
  if (told !== null) told.textContent = `${picked} selected`;
}

const tellAllPicked = () => document.querySelectorAll("[data-select-all]").forEach(tellPicked);

document.addEventListener("change", ({ target }) => {
  const all = target.closest("[data-select-all]");
  if (all !== null) rowsOf(target.form).forEach((box) => (box.checked = target.checked));
  tellAllPicked();
});
document.addEventListener("htmx:afterSwap", tellAllPicked);
tellAllPicked();

// What is selected stays: a list is not fetched again meanwhile.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.querySelector("input[name=pick]:checked") !== null) event.preventDefault();
});

// A number or a name is copied by a click; where a page may not copy, there is no button.
function showCopies() {
  if (navigator.clipboard === undefined) return;
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (button === null) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), 2_000);
});
document.addEventListener("htmx:afterSwap", showCopies);
showCopies();
