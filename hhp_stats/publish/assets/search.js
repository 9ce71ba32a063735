// Search: over all chapters, with words that mean the same; what was looked for is marked on the page it leads to.
// The index is a script beside this one and loaded when somebody searches: pages opened from the disk may not read files.
(function () {
  "use strict";
  const { words, all, one, make } = window.dom;
  const input = one("#search");
  const panel = one(".search-panel");
  const list = one("#search-results");
  const count = one(".search-count");

  // --- words
  // Letters without accents, one for one, so that places in the folded text are places in the text.
  const folded = (text) => Array.from(text.toLowerCase().normalize("NFC"), (letter) => {
    const bare = letter.normalize("NFD")[0];
    return bare.length === letter.length ? bare : letter;
  }).join("");
  const joined = (text) => folded(text).replace(/[-\u2010\u2011]/g, "");
  const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  // A hyphen may stand anywhere: burn-out finds burnout and the other way round. Words match from their beginning.
  const pattern = (forms) => new RegExp("(?<![\\p{L}\\p{N}])(?:" + forms.map((form) =>
    Array.from(joined(form)).map((letter) => (letter === " " ? "[\\s-]+" : quoted(letter))).join("[-\u2010\u2011]?")).join("|") + ")", "gu");
  // A word is looked for with those that mean the same (report/glossary.toml) and without its plural.
  const singular = (term) => (/[^s]s$/.test(term) && term.length > 4 ? term.slice(0, -1) : term);
  const same = (term, alike) => {
    const key = singular(joined(term));
    const group = alike.find((forms) => forms.some((form) => singular(joined(form)) === key));
    return [singular(term)].concat((group || []).filter((form) => singular(joined(form)) !== key));
  };
  // A phrase that has others of its meaning is one term; otherwise every word is one.
  const termsOf = (query, alike) => {
    let rest = folded(query).trim().replace(/\s+/g, " ");
    const terms = [];
    alike.flat().filter((form) => form.includes(" ")).sort((a, b) => b.length - a.length).forEach((form) => {
      const found = (" " + rest + " ").indexOf(" " + folded(form) + " ");
      if (found < 0) return;
      terms.push(form);
      rest = (rest.slice(0, found) + rest.slice(found + form.length)).trim().replace(/\s+/g, " ");
    });
    return terms.concat(rest.split(" ").filter(Boolean)).map((term) => same(term, alike));
  };

  // --- the index, once somebody searches
  let index = null;
  let loading = null;
  const load = () => loading || (loading = new Promise((done) => {
    const script = make("script", { src: "assets/search-index.js" });
    script.addEventListener("load", () => {
      index = window.searchIndex.entries.map((entry) => ({ entry: entry, chapter: folded(entry[2]), title: folded(entry[3]), text: folded(entry[4]) }));
      done();
    });
    script.addEventListener("error", () => { loading = null; });
    document.head.append(script);
  }));

  const times = (text, found) => (text.match(found) || []).length;
  // Chapters before appendices, what a section is called before what it says, the word itself before another of its meaning.
  const find = (query) => {
    const terms = termsOf(query, window.searchIndex.alike).map((forms) => ({ forms: forms, own: pattern(forms.slice(0, 1)), any: pattern(forms) }));
    const found = [];
    for (const item of index) {
      const head = item.title === "";
      let score = 0;
      for (const term of terms) {
        const titles = times(item.title, term.any) ? 30 : head && times(item.chapter, term.any) ? 45 : 0;
        const said = times(item.text, term.any);
        if (!titles && !said) { score = 0; break; }
        score += titles + Math.min(said, 8) + Math.min(times(item.text, term.own), 4) + (titles && (times(item.title, term.own) || times(item.chapter, term.own)) ? 10 : 0);
      }
      if (!score) continue;
      if (terms.length > 1 && joined(item.text).includes(joined(query.trim()))) score += 15;
      found.push({ item: item, score: item.entry[5] ? score / 3 : score });
    }
    return { found: found.sort((a, b) => b.score - a.score), forms: terms.flatMap((term) => term.forms) };
  };

  const marked = (text, forms) => {
    const parts = [];
    let done = 0;
    if (folded(text).length !== text.length) return [text];
    for (const hit of folded(text).matchAll(pattern(forms))) {
      parts.push(text.slice(done, hit.index), make("mark", {}, text.slice(hit.index, hit.index + hit[0].length)));
      done = hit.index + hit[0].length;
    }
    return parts.concat(text.slice(done));
  };
  const excerpt = (item, forms) => {
    const text = item.entry[4];
    const at = Math.max(0, item.text.search(pattern(forms)));
    const start = at < 50 ? 0 : text.lastIndexOf(" ", at - 40) + 1;
    const end = start + 140 < text.length ? text.lastIndexOf(" ", start + 140) : text.length;
    const line = make("span", { class: "excerpt" }, start ? "\u2026 " : "");
    line.append(...marked(text.slice(start, end), forms), end < text.length ? " \u2026" : "");
    return line;
  };

  // --- the list below the field
  let chosen = -1;
  const close = () => { panel.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); chosen = -1; };
  const choose = (at) => {
    const options = all("[role=option]", list);
    if (!options.length) return;
    chosen = (at + options.length) % options.length;
    options.forEach((option, number) => option.setAttribute("aria-selected", String(number === chosen)));
    input.setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  };
  const go = (target) => { close(); input.blur(); location.href = target; };
  const show = () => {
    if (folded(input.value).trim().length < 2) { close(); return; }
    if (!index) { load().then(() => { if (document.activeElement === input) show(); }); return; }
    const result = find(input.value);
    const what = "?find=" + encodeURIComponent(result.forms.join("|"));
    list.replaceChildren(...result.found.slice(0, 12).map((hit, at) => {
      const entry = hit.item.entry;
      const option = make("li", { role: "option", id: "hit-" + at, "aria-selected": "false" });
      option.dataset.target = entry[0] + what + (entry[1] ? "#" + entry[1] : "");
      option.append(make("span", { class: "where" }, entry[2] + (entry[3] ? " \u203a " + entry[3] : "")), excerpt(hit.item, result.forms));
      option.addEventListener("mousedown", (event) => { event.preventDefault(); go(option.dataset.target); });
      return option;
    }));
    const total = result.found.length;
    count.textContent = total ? total + " " + (total === 1 ? words.result : words.results) : words.no_results;
    panel.hidden = false;
    input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
    chosen = -1;
  };
  input.addEventListener("input", show);
  input.addEventListener("focus", () => { load(); show(); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); choose(chosen + (event.key === "ArrowDown" ? 1 : -1)); }
    if (event.key === "Escape") { close(); }
    if (event.key === "Enter") {
      const options = all("[role=option]", list);
      const option = options[Math.max(0, chosen)];
      if (option && !panel.hidden) go(option.dataset.target);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { event.preventDefault(); input.focus(); }
  });

  // --- what was looked for, marked on the page; Escape takes the marks away
  const sought = (new URLSearchParams(location.search).get("find") || "").split("|").filter((form) => form.trim().length > 1);
  if (sought.length) {
    const found = pattern(sought);
    const walker = document.createTreeWalker(one("article"), NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) {
      const text = walker.currentNode;
      if (times(folded(text.data), found) && !text.parentElement.closest("math, script, style, .term-note, .unseen")) texts.push(text);
    }
    texts.forEach((text) => {
      const parts = marked(text.data, sought);
      parts.forEach((part) => { if (part.tagName) part.className = "sought"; });
      text.replaceWith(...parts);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      all("mark.sought").forEach((mark) => { const parent = mark.parentNode; mark.replaceWith(...mark.childNodes); parent.normalize(); });
    });
  }
})();
