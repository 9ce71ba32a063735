// What takes part in tabbing. A run of paragraphs, a list, and a table or figure with its buttons is one stop, however many
// numbers and links it holds; arrow keys, Home and End move inside, and a line at the foot of the screen says so.
// Runs last, when all buttons are in place.
(function () {
  "use strict";
  const { words, all, one } = window.dom;

  // --- one stop a block
  const ITEMS = ".result.explained, .term-word, .sort, .tool";
  const hint = one("#keys-hint");
  const groups = new Map();
  // Paragraphs that follow each other without anything between are one stop: those of the first of them.
  const run = (paragraph) => {
    while (paragraph && paragraph.previousElementSibling && paragraph.previousElementSibling.tagName === "P") paragraph = paragraph.previousElementSibling;
    return paragraph;
  };
  const blockOf = (item) => item.closest("figure.float") || item.closest("table, ul, ol, dl") || run(item.closest("p")) || item.parentElement;
  all(ITEMS + ", article a[href]:not(.anchor), .book-nav a, .page-nav a, .around a").filter((item) => !item.closest(".cite-report")).forEach((item) => {
    const block = blockOf(item);
    if (!groups.has(block)) groups.set(block, []);
    groups.get(block).push(item);
  });
  const visible = (item) => item.offsetParent !== null;
  const inOrder = (items) => items.filter(visible).sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  const enter = (items, item) => {
    items.forEach((other) => { other.tabIndex = other === item ? 0 : -1; });
    item.focus();
  };
  // Up and down: the item of the next line that stands nearest. Lines are those on the screen, so it works for text too.
  const beside = (items, from, down) => {
    const here = from.getBoundingClientRect();
    const middle = (box) => box.left + box.width / 2;
    let found = null;
    for (const item of items) {
      const box = item.getBoundingClientRect();
      const gap = down ? box.top - here.bottom : here.top - box.bottom;
      if (gap < -4 || item === from) continue;
      const apart = Math.abs(middle(box) - middle(here));
      if (!found || gap < found.gap - 4 || (gap < found.gap + 4 && apart < found.apart)) found = { item: item, gap: gap, apart: apart };
    }
    return found && found.item;
  };
  groups.forEach((items) => {
    if (items.length < 2) { items[0].tabIndex = 0; return; }
    const listen = (kind, heard) => items.forEach((item) => item.addEventListener(kind, heard));
    items.sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
    // The page of the book that is open is where its list begins.
    const first = items.find((item) => item.getAttribute("aria-current") === "page") || items[0];
    items.forEach((item) => { item.tabIndex = item === first ? 0 : -1; });
    first.setAttribute("aria-describedby", [first.getAttribute("aria-describedby"), hint.id].filter(Boolean).join(" "));
    listen("focusin", (event) => { hint.hidden = !event.target.matches(":focus-visible") || inOrder(items).length < 2; });
    listen("focusout", () => { hint.hidden = true; });
    listen("keydown", (event) => {
      const from = event.target.closest(ITEMS + ", a[href]");
      if (!items.includes(from) || event.altKey || event.ctrlKey || event.metaKey) return;
      const shown = inOrder(items);
      const at = shown.indexOf(from);
      const to = { ArrowRight: shown[at + 1], ArrowLeft: shown[at - 1], Home: shown[0], End: shown[shown.length - 1] }[event.key] ||
        (event.key === "ArrowDown" || event.key === "ArrowUp" ? beside(shown, from, event.key === "ArrowDown") : null);
      if (!/^(Arrow(Left|Right|Up|Down)|Home|End)$/.test(event.key)) return;
      event.preventDefault();
      if (to) enter(items, to);
    });
    // A number that is clicked, or that a closed panel gives the focus back to, is the stop from then on.
    listen("focusin", (event) => {
      const item = event.target.closest(ITEMS + ", a[href]");
      if (items.includes(item)) items.forEach((other) => { other.tabIndex = other === item ? 0 : -1; });
    });
  });

  // --- anything too wide scrolls by itself; it is a stop only where nothing inside it is one
  const regions = () => all(".table-scroll, figure.fig p, pre, .math-scroll, .viewer-image").forEach((region, at) => {
    if (region.scrollWidth > region.clientWidth + 1) {
      if (one("[tabindex='0']", region)) region.removeAttribute("tabindex");
      else region.tabIndex = 0;
      const figure = region.closest("figure");
      const caption = figure && one("figcaption", figure);
      region.setAttribute("role", "region");
      // Regions are told apart by their names: formulas and code without a number of their own are counted.
      const number = one(".equation-number", region.closest(".equation") || region);
      const kind = region.matches(".math-scroll") ? words.formula : region.matches("pre") ? words.code_in : region.matches(".viewer-image") ? words.enlarge : region.matches("figure.fig p") ? words.figure : words.table;
      const several = figure && all(".table-scroll, p", figure).filter((other) => other.scrollWidth > other.clientWidth + 1).length > 1;
      region.setAttribute("aria-label", caption && !several ? caption.textContent.trim().slice(0, 120) : kind + " " + (number ? number.textContent.trim() : at + 1));
    } else {
      ["tabindex", "role", "aria-label"].forEach((name) => region.removeAttribute(name));
    }
  });
  addEventListener("resize", regions);
  document.addEventListener("report:shown", regions);
  regions();
  if (document.fonts) document.fonts.ready.then(regions);
})();
