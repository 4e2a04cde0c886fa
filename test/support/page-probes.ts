/** Where pictures of all pages are kept, if anywhere: for looking at, and for the README. */
export const PICTURES = process.env["SITE_PICTURES"];

export const WIDE = { width: 1280, height: 900 };

export const PHONE = { width: 320, height: 640 };

/** Each page in both colors and in both widths; all four ways only where they are to be looked at. */
export const LOOKS: readonly [typeof WIDE, "light" | "dark"][] = [
  [WIDE, "light"],
  [PHONE, "dark"],
  ...(PICTURES === undefined
    ? []
    : ([
        [WIDE, "dark"],
        [{ width: 360, height: 740 }, "light"],
      ] as [typeof WIDE, "light" | "dark"][])),
];

/** A preset's form as it is filled in if nothing is special. */
export const presetFields = {
  sender_mode: "default_sender",
  when_nobody: "wait",
  if_already_enrolled: "skip",
  cooldown_days: "3",
  cooldown_scope: "any",
};

/** Cells that a reader of the printed tables would miss: without a place, or not beside each other. Buttons are not printed. */
export const UNFIT_CELLS = `[...document.querySelectorAll("main th, main td:not(.act-cell)")]
  .filter((cell) => getComputedStyle(cell).display !== "table-cell" || cell.getBoundingClientRect().width < 5)
  .filter((cell) => cell.closest("details:not([open])") === null && cell.closest(".unseen") === null)
  .map((cell) => cell.outerHTML.slice(0, 100))`;

/** Everything a person reaches by Tab, in the order of the page: of a group of radio buttons the chosen one. */
export const CONTROLS = `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter((element) => element.checkVisibility() && !element.disabled && element.tabIndex >= 0)
  .filter((element) => element.type !== "radio" || element.checked)`;

/** Its tag, its type and its name. */
export const LIST_CONTROLS = `${CONTROLS}
  .map((element) => [element.localName, element.type, element.id || element.name || element.textContent.trim()].join(" "))`;

export const FOCUSED = `(() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return { index: ${CONTROLS}.indexOf(document.activeElement), outline: outlineStyle + " " + outlineWidth };
})()`;

export const isDateOrTime = (control: string): boolean => /^input (date|time) /.test(control);
