// What the pages do beyond being read: theme, menu, tabs, enlarged figures, copied links. No library.
(function () {
  "use strict";
  const { words, all, one, make } = window.dom;
  const root = document.documentElement;

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

  const shownAgain = () => document.dispatchEvent(new Event("report:shown"));

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
      shownAgain();
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

  // --- the dark twin of a picture says what the light one says
  all("img.on-light, img.on-dark").forEach((image, at, both) => { if (image.matches(".on-dark")) image.alt = both[at - 1].alt; });

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
      shownAgain();
    };
    // Below the caption with the other buttons: over the picture it would cover what is drawn there.
    const button = make("button", { type: "button", class: "tool enlarge", "aria-label": (words.enlarge + " " + label).trim() }, words.enlarge);
    button.addEventListener("click", open);
    images.forEach((image) => image.addEventListener("click", open));
    const tools = make("div", { class: "tools" });
    tools.append(button);
    figure.append(tools);
  });
  viewer.addEventListener("click", (event) => { if (event.target === viewer || event.target.closest(".viewer-image")) viewer.close(); });

  // --- links to headings
  const toast = one(".toast");
  let fading = 0;
  all("a.anchor").forEach((anchor) => anchor.addEventListener("click", () => {
    const address = location.href.split(/[?#]/)[0] + anchor.getAttribute("href");
    if (!navigator.clipboard) return;
    navigator.clipboard.writeText(address).then(() => {
      toast.textContent = words.copied;
      toast.classList.add("shown");
      clearTimeout(fading);
      fading = setTimeout(() => { toast.classList.remove("shown"); toast.textContent = ""; }, 1800);
    }, () => {});
  }));
})();
