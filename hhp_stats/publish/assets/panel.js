// Where a number comes from: panels with the row, the formula, the clause, the code and the files.
// All that they show stands in results.js, written when the report was rendered and loaded when somebody first asks.
(function () {
  "use strict";
  const { words, all, one, make } = window.dom;
  let known = {};
  let loading = null;
  const asked = () => loading || (loading = new Promise((done) => {
    const script = document.createElement("script");
    script.src = "assets/results.js";
    script.addEventListener("load", () => { known = window.report; done(); });
    script.addEventListener("error", () => { loading = null; });
    document.head.append(script);
  }));
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

  // The facts stand in the order and with the digits and words that present/explanations.py gave them.
  const explain = (id, from) => {
    const row = known.results[id];
    const facts = make("dl", { class: "facts" });
    row.facts.forEach((fact) => facts.append(make("dt", {}, (fact[2] ? fact[2] + " " : "") + words[fact[0]]), make("dd", {}, fact[1])));
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

  // Every number opens its panel; keys.js makes those of a paragraph or table one stop.
  const explained = document.body.hasAttribute("data-explained");
  if (explained) all("span[data-result]").forEach((mark) => {
    const show = () => asked().then(() => explain(mark.dataset.result, mark));
    mark.classList.add("result", "explained");
    mark.setAttribute("role", "button");
    mark.setAttribute("aria-haspopup", "dialog");
    mark.setAttribute("aria-describedby", "origin-hint");
    mark.addEventListener("click", show);
    mark.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); show(); }
    });
  });

  // --- the source of figures and tables
  all("figure.float[data-behind]").forEach((figure) => {
    const caption = one("figcaption .float-label", figure);
    const label = caption ? caption.textContent.trim() : figure.id;
    const button = make("button", { type: "button", class: "tool source", "aria-haspopup": "dialog" }, words.source);
    button.setAttribute("aria-label", words.source + ": " + label);
    button.addEventListener("click", () => asked().then(() => {
      const parts = [];
      const cell = known.figures[figure.id];
      if (cell.code) parts.push(heading(words.cell_source), make("p", {}, make("small", {}, cell.file + ":" + cell.line)), make("pre", { "aria-label": words.cell_source }, make("code", {}, cell.code)));
      const made = cell.presenter ? codeOf(cell.presenter) : [];
      if (made.length) parts.push(heading(words.presenter), ...made);
      const quoted = (explained && cell.results) || [];
      if (quoted.length) {
        const list = make("ul", { class: "quoted" }, ...quoted.map((id) => {
          const link = make("button", { type: "button", class: "quoted-result" }, id);
          link.addEventListener("click", () => explain(id));
          return make("li", {}, link);
        }));
        parts.push(heading(words.results_behind + " (" + quoted.length + ")"), list);
      }
      open(words.source + ": " + label, parts, button);
    }));
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
    const word = make("span", { class: "term-word", role: "button", "aria-describedby": note.id });
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
