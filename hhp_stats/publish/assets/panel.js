// Where a number comes from: panels with the row, the formula, the clause, the code and the files.
// All that they show stands in results.js, written when the report was rendered.
(function () {
  "use strict";
  const words = JSON.parse(document.body.dataset.words);
  const known = window.report || {};
  const results = known.results || {};
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const one = (selector, within) => (within || document).querySelector(selector);
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const name in attributes || {}) element.setAttribute(name, attributes[name]);
    element.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
    return element;
  };
  const panel = one("dialog.panel");
  const title = one("#panel-title");
  const body = one(".panel-body", panel);
  const own = (object, key) => (object && Object.prototype.hasOwnProperty.call(object, key) ? object[key] : undefined);

  let opener = null;
  const open = (heading, parts, from) => {
    if (from) opener = from;
    title.textContent = heading;
    body.replaceChildren(...parts);
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    // What scrolls must be reachable without a mouse.
    all("pre", body).forEach((block) => { block.tabIndex = 0; });
  };
  panel.addEventListener("close", () => { if (opener && opener.isConnected) opener.focus(); opener = null; });
  panel.addEventListener("click", (event) => {
    if (event.target === panel) panel.close();
    if (event.target.closest("a[href]")) { opener = null; panel.close(); }
  });

  const minus = (text) => String(text).replace(/-/g, "\u2212");
  const precise = (value) => (typeof value === "number" ? minus(Number.isInteger(value) ? value.toLocaleString("en") : Number(value.toPrecision(8))) : String(value));
  const spaced = (text) => String(text).replace(/_/g, " ");
  const heading = (text) => make("h3", {}, text);

  const codeOf = (name) => {
    const code = own(known.code, name);
    if (!code) return [];
    return [
      make("div", { class: "code-place" },
        make("p", {}, make("code", {}, name), make("br"), make("small", {}, code.file + ":" + code.line)),
        code.question ? make("p", {}, code.question) : "",
        code.formula ? make("p", { class: "formula" }, code.formula.replace(/\s+/g, " ")) : "",
        make("details", {}, make("summary", {}, words.show_source), make("pre", { "aria-label": name }, make("code", {}, code.source)))),
    ];
  };

  const explain = (id, from) => {
    const row = results[id];
    const facts = make("dl", { class: "facts" });
    const fact = (name, value) => { if (value !== undefined && value !== "") facts.append(make("dt", {}, name), make("dd", {}, value)); };
    const level = row.conf_level === undefined ? "" : Math.round(1000 * row.conf_level) / 10 + "% ";
    fact(words.estimate, row.estimate === undefined ? undefined : precise(row.estimate));
    fact(level + words.interval, row.conf_low === undefined ? undefined : precise(row.conf_low) + " \u2026 " + precise(row.conf_high));
    ["std_error", "statistic", "df", "p", "p_adjusted", "mc_error", "mc_error_p"].forEach((name) => {
      const value = row[name === "p" ? "p_value" : name];
      fact(words[name], value === undefined ? undefined : precise(value));
    });
    fact(words.people, row.n === undefined ? undefined : precise(row.n));
    fact(words.clusters, row.n_clusters === undefined ? undefined : precise(row.n_clusters));
    fact(words.outcome, spaced(row.outcome));
    fact(words.estimand, spaced(row.estimand));
    ["population", "contrast"].forEach((name) => fact(words[name], row[name] && spaced(row[name])));
    fact(words.method, row.method);
    fact(words.analysis, spaced(row.analysis) + (row.status === "estimated" ? "" : ", " + spaced(row.status)));
    fact(words.note, row.note);
    const parts = [make("p", { class: "result-id" }, make("code", {}, id)), facts];
    if (row.clauses.length) {
      const list = make("dl", { class: "clauses" });
      row.clauses.forEach((key) => list.append(make("dt", {}, key), make("dd", {}, own(known.clauses, key) || "\u2014")));
      parts.push(heading(words.clauses), list);
    }
    if (row.code.length) parts.push(heading(words.formula + ", " + words.code_in.toLowerCase()), ...row.code.flatMap(codeOf));
    if (row.programmes) {
      const shown = (name, label) => make("details", {}, make("summary", {}, label), make("pre", { "aria-label": label }, make("code", {}, row.programmes[name])));
      parts.push(heading(words.programmes), make("p", {}, words.programmes_note), shown("python", words.in_python), shown("r", words.in_r));
    }
    const inputs = own(known.inputs, row.study) || [];
    if (inputs.length) {
      const line = (pair) => make("li", {}, make("code", {}, pair[0]), " ", make("small", {}, "SHA-256 " + pair[1].slice(0, 16)));
      parts.push(heading(words.inputs), make("ul", { class: "inputs" }, ...inputs.slice(0, 4).map(line)));
      if (inputs.length > 4) {
        parts.push(make("details", {}, make("summary", {}, words.more_files + " (" + inputs.length + ")"), make("ul", { class: "inputs" }, ...inputs.slice(4).map(line))));
      }
    }
    const place = own(known.places, id);
    if (place) parts.push(make("p", {}, make("a", { href: place.split("#")[0] + "#" + encodeURIComponent(place.slice(place.indexOf("#") + 1)) }, words.index_row)));
    open(words.origin, parts, from);
  };

  // Every number opens its panel; of the numbers of one result in a row or paragraph the first takes part in tabbing.
  const hint = make("span", { id: "origin-hint", hidden: "" }, words.origin);
  panel.before(hint);
  all("span.result[data-result]").forEach((mark) => {
    const id = mark.dataset.result;
    if (!own(results, id)) return;
    mark.classList.add("explained");
    const block = mark.closest("tr") || mark.closest("p, li, dd, figcaption");
    const seen = block && (block.explainedResults = block.explainedResults || new Set());
    if (!seen || !seen.has(id)) {
      if (seen) seen.add(id);
      mark.setAttribute("role", "button");
      mark.setAttribute("aria-haspopup", "dialog");
      mark.setAttribute("aria-describedby", hint.id);
      mark.tabIndex = 0;
      mark.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); explain(id, mark); }
      });
    }
    mark.addEventListener("click", () => explain(id, mark.hasAttribute("tabindex") ? mark : null));
  });

  // --- the source of figures and tables
  all("figure.float[id]").forEach((figure) => {
    const cell = own(known.cells, figure.id);
    const carrier = figure.dataset.presenter !== undefined ? figure : one("table[data-presenter]", figure);
    const presenter = carrier && carrier.dataset.presenter;
    const quoted = carrier && carrier.dataset.results ? carrier.dataset.results.split(" ").filter((id) => own(results, id)) : [];
    if (!cell && !presenter) return;
    const caption = one("figcaption .float-label", figure);
    const label = caption ? caption.textContent.trim() : figure.id;
    const button = make("button", { type: "button", class: "tool source", "aria-haspopup": "dialog" }, words.source);
    button.setAttribute("aria-label", words.source + ": " + label);
    button.addEventListener("click", () => {
      const parts = [];
      if (cell) parts.push(heading(words.cell_source), make("p", {}, make("small", {}, cell.file + ":" + cell.line)), make("pre", { "aria-label": words.cell_source }, make("code", {}, cell.code)));
      const made = presenter ? codeOf(presenter) : [];
      if (made.length) parts.push(heading(words.presenter), ...made);
      if (quoted.length) {
        const list = make("ul", { class: "quoted" }, ...quoted.map((id) => {
          const link = make("button", { type: "button", class: "quoted-result" }, id);
          link.addEventListener("click", () => explain(id));
          return make("li", {}, link);
        }));
        parts.push(heading(words.results_behind + " (" + quoted.length + ")"), list);
      }
      open(words.source + ": " + label, parts, button);
    });
    let tools = one(".tools", figure);
    if (!tools) { tools = make("div", { class: "tools" }); figure.append(tools); }
    tools.append(button);
  });

  // --- words of the trade: a note on hovering, focus or tapping
  let openTerm = null;
  const hide = () => {
    if (!openTerm) return;
    one(".term-note", openTerm).hidden = true;
    openTerm = null;
  };
  const showNote = (term) => {
    if (openTerm === term) return;
    hide();
    const note = one(".term-note", term);
    note.hidden = false;
    note.style.left = "0px";
    const box = note.getBoundingClientRect();
    const right = document.documentElement.clientWidth - 12;
    if (box.right > right) note.style.left = Math.max(right - box.right, 12 - box.left) + "px";
    openTerm = term;
  };
  all(".term[data-term]").forEach((term, at) => {
    const note = make("span", { class: "term-note", role: "tooltip", id: "term-note-" + at });
    note.textContent = term.title;
    note.hidden = true;
    term.removeAttribute("title");
    const word = make("span", { class: "term-word", tabindex: "0", role: "button", "aria-describedby": note.id });
    word.append(...term.childNodes);
    term.append(word, note);
    term.addEventListener("mouseenter", () => showNote(term));
    term.addEventListener("mouseleave", () => { if (!term.contains(document.activeElement)) hide(); });
    word.addEventListener("focus", () => showNote(term));
    word.addEventListener("blur", hide);
    word.addEventListener("click", () => showNote(term));
    word.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); if (openTerm === term) hide(); else showNote(term); }
    });
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
})();
