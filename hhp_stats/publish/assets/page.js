// What the pages do beyond being read: theme, menu, search, tabs, enlarged figures, copied links.
// No library and no request: the search index is a script beside this one.
(function () {
  "use strict";
  const root = document.documentElement;
  const words = JSON.parse(document.body.dataset.words);
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const one = (selector, within) => (within || document).querySelector(selector);
  const make = (tag, attributes, text) => {
    const element = document.createElement(tag);
    for (const name in attributes || {}) element.setAttribute(name, attributes[name]);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // --- theme
  const themeButton = one(".theme-button");
  const showTheme = () => themeButton.setAttribute("aria-pressed", String(root.dataset.theme === "dark"));
  themeButton.addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("report-theme", root.dataset.theme); } catch (e) { /* private window */ }
    showTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    let kept = null;
    try { kept = localStorage.getItem("report-theme"); } catch (e) { /* private window */ }
    if (!kept) { root.dataset.theme = event.matches ? "dark" : "light"; showTheme(); }
  });
  showTheme();

  // --- menu on narrow screens
  const menuButton = one(".menu-button");
  const bookNav = one(".book-nav");
  const openMenu = (open) => {
    bookNav.classList.toggle("open", open);
    menuButton.setAttribute("aria-expanded", String(open));
  };
  menuButton.addEventListener("click", () => openMenu(!bookNav.classList.contains("open")));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && bookNav.classList.contains("open")) { openMenu(false); menuButton.focus(); }
  });
  const current = one("[aria-current=page]", bookNav);
  if (current && bookNav.scrollHeight > bookNav.clientHeight) {
    bookNav.scrollTop = Math.max(0, current.offsetTop - bookNav.clientHeight / 2);
  }

  // --- the page's own contents: folded on narrow screens, the section in view marked
  const pageNav = one(".page-nav details");
  if (pageNav) {
    const wide = matchMedia("(min-width: 76rem)");
    const fold = () => { pageNav.open = wide.matches; };
    wide.addEventListener("change", fold);
    fold();
    const links = new Map(all("a", pageNav).map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
    const targets = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    let waiting = false;
    const mark = () => {
      waiting = false;
      let now = null;
      for (const target of targets) if (target.getBoundingClientRect().top < 140) now = target;
      links.forEach((link, id) => {
        if (now && id === now.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      });
      one(".top-link").classList.toggle("shown", window.scrollY > 900);
    };
    const soon = () => { if (!waiting) { waiting = true; requestAnimationFrame(mark); } };
    addEventListener("scroll", soon, { passive: true });
    mark();
  } else {
    addEventListener("scroll", () => one(".top-link").classList.toggle("shown", window.scrollY > 900), { passive: true });
  }

  // --- anything too wide scrolls by itself; only then does it take part in tabbing
  const regions = () => all(".table-scroll, pre, .math-scroll, .viewer-image").forEach((region, at) => {
    if (region.scrollWidth > region.clientWidth + 1) {
      region.tabIndex = 0;
      const figure = region.closest("figure");
      const caption = figure && one("figcaption", figure);
      region.setAttribute("role", "region");
      // Regions are told apart by their names: formulas and code without a number of their own are counted.
      const number = one(".equation-number", region.closest(".equation") || region);
      const kind = region.matches(".math-scroll") ? words.formula : region.matches("pre") ? words.code_in : region.matches(".viewer-image") ? words.enlarge : words.table;
      region.setAttribute("aria-label", caption ? caption.textContent.trim().slice(0, 120) : kind + " " + (number ? number.textContent.trim() : at + 1));
    } else {
      ["tabindex", "role", "aria-label"].forEach((name) => region.removeAttribute(name));
    }
  });
  addEventListener("resize", regions);
  regions();
  if (document.fonts) document.fonts.ready.then(regions);

  // --- tabs
  all(".tabset").forEach((set, number) => {
    const panels = all(":scope > .tab", set);
    const list = make("div", { role: "tablist" });
    const tabs = panels.map((panel, at) => {
      const id = "tab-" + number + "-" + at;
      const tab = make("button", { type: "button", role: "tab", id: id, "aria-controls": id + "-panel" });
      tab.innerHTML = one(".tab-title", panel).innerHTML;
      panel.id = id + "-panel";
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", id);
      list.append(tab);
      return tab;
    });
    const show = (chosen, focus) => {
      tabs.forEach((tab, at) => {
        tab.setAttribute("aria-selected", String(at === chosen));
        tab.tabIndex = at === chosen ? 0 : -1;
        panels[at].classList.toggle("hidden-tab", at !== chosen);
      });
      if (focus) tabs[chosen].focus();
      regions();
    };
    tabs.forEach((tab, at) => {
      tab.addEventListener("click", () => show(at));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step) { event.preventDefault(); show((at + step + tabs.length) % tabs.length, true); }
        if (event.key === "Home" || event.key === "End") { event.preventDefault(); show(event.key === "Home" ? 0 : tabs.length - 1, true); }
      });
    });
    set.prepend(list);
    set.classList.add("tabbed");
    show(0);
    // A link to something inside a hidden tab opens the tab.
    const reveal = () => {
      const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
      const at = target ? panels.findIndex((panel) => panel.contains(target)) : -1;
      if (at >= 0) { show(at); target.scrollIntoView(); }
    };
    addEventListener("hashchange", reveal);
    reveal();
  });

  // --- enlarged figures
  const viewer = one(".viewer");
  all("figure.fig").forEach((figure) => {
    const images = all("img", figure);
    if (!images.length) return;
    const caption = one("figcaption", figure);
    const label = caption && one(".float-label", caption) ? one(".float-label", caption).textContent.trim() : "";
    const open = () => {
      const box = one(".viewer-image", viewer);
      box.replaceChildren(...images.map((image) => {
        const copy = image.cloneNode();
        copy.removeAttribute("loading");
        return copy;
      }));
      one(".viewer-caption", viewer).textContent = caption ? caption.textContent.trim() : "";
      viewer.setAttribute("aria-label", label || words.enlarge);
      viewer.showModal();
      regions();
    };
    const button = make("button", { type: "button", class: "enlarge", "aria-label": (words.enlarge + " " + label).trim() }, "⤢");
    button.addEventListener("click", open);
    images.forEach((image) => image.addEventListener("click", open));
    figure.prepend(button);
  });
  viewer.addEventListener("click", (event) => { if (event.target === viewer || event.target.closest(".viewer-image")) viewer.close(); });

  // --- links to headings
  const toast = one(".toast");
  let fading = 0;
  all("a.anchor").forEach((anchor) => anchor.addEventListener("click", () => {
    const address = location.href.split("#")[0] + anchor.getAttribute("href");
    if (!navigator.clipboard) return;
    navigator.clipboard.writeText(address).then(() => {
      toast.textContent = words.copied;
      toast.classList.add("shown");
      clearTimeout(fading);
      fading = setTimeout(() => { toast.classList.remove("shown"); toast.textContent = ""; }, 1800);
    }, () => {});
  }));

  // --- search
  const input = one("#search");
  const panel = one(".search-panel");
  const list = one("#search-results");
  const count = one(".search-count");
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  let index = null;
  let chosen = -1;

  const find = (query) => {
    index = index || window.searchIndex.map((entry) => ({ entry: entry, title: plain(entry[2] + " " + entry[3]), text: plain(entry[4]) }));
    const terms = plain(query).split(/\s+/).filter(Boolean);
    const found = [];
    for (const item of index) {
      let score = 0;
      for (const term of terms) {
        const inTitle = item.title.includes(term);
        const times = item.text.split(term).length - 1;
        if (!inTitle && !times) { score = 0; break; }
        score += (inTitle ? 20 : 0) + Math.min(times, 8);
      }
      if (score) found.push({ item: item, score: score });
    }
    const phrase = terms.join(" ");
    found.forEach((hit) => { if (terms.length > 1 && hit.item.text.includes(phrase)) hit.score += 15; });
    return { found: found.sort((a, b) => b.score - a.score), terms: terms };
  };

  const excerpt = (item, terms) => {
    const text = item.entry[4];
    const at = Math.max(0, Math.min(...terms.map((term) => { const where = item.text.indexOf(term); return where < 0 ? Infinity : where; })));
    const start = at === Infinity || at < 50 ? 0 : text.lastIndexOf(" ", at - 40) + 1;
    const end = start + 140 < text.length ? text.lastIndexOf(" ", start + 140) : text.length;
    const cut = text.slice(start, end);
    const line = make("span", { class: "excerpt" }, start ? "… " : "");
    let rest = cut;
    while (rest) {
      const low = plain(rest);
      // Normalising may change lengths; marks are drawn only where it did not.
      const first = low.length === rest.length ? terms.map((term) => [low.indexOf(term), term]).filter((hit) => hit[0] >= 0).sort((a, b) => a[0] - b[0])[0] : null;
      if (!first) break;
      line.append(rest.slice(0, first[0]), make("mark", {}, rest.slice(first[0], first[0] + first[1].length)));
      rest = rest.slice(first[0] + first[1].length);
    }
    line.append(rest + (end < text.length ? " …" : ""));
    return line;
  };

  const close = () => { panel.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); chosen = -1; };
  const choose = (at) => {
    const options = all("[role=option]", list);
    if (!options.length) return;
    chosen = (at + options.length) % options.length;
    options.forEach((option, number) => option.setAttribute("aria-selected", String(number === chosen)));
    input.setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  };
  const show = () => {
    if (plain(input.value).trim().length < 2 || !window.searchIndex) { close(); return; }
    const result = find(input.value);
    list.replaceChildren(...result.found.slice(0, 12).map((hit, at) => {
      const entry = hit.item.entry;
      const option = make("li", { role: "option", id: "hit-" + at, "aria-selected": "false" });
      option.dataset.target = entry[0] + (entry[1] ? "#" + entry[1] : "");
      option.append(make("span", { class: "where" }, entry[2] + (entry[3] ? " › " + entry[3] : "")), excerpt(hit.item, result.terms));
      option.addEventListener("mousedown", (event) => { event.preventDefault(); location.href = option.dataset.target; close(); });
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
  input.addEventListener("focus", show);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); choose(chosen + (event.key === "ArrowDown" ? 1 : -1)); }
    if (event.key === "Escape") { close(); }
    if (event.key === "Enter") {
      const options = all("[role=option]", list);
      const option = options[Math.max(0, chosen)];
      if (option && !panel.hidden) { location.href = option.dataset.target; close(); input.blur(); }
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { event.preventDefault(); input.focus(); }
  });
})();
