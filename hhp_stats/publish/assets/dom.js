// What all scripts of a page begin with: the page's words, and how elements are found and made. Runs first.
window.dom = (function () {
  "use strict";
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const one = (selector, within) => (within || document).querySelector(selector);
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const name in attributes || {}) element.setAttribute(name, attributes[name]);
    element.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
    return element;
  };
  return { words: JSON.parse(document.body.dataset.words), all, one, make };
})();
