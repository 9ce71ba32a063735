-- Everything that both formats share: conditional content, callouts, tabsets, floats, numbers and
-- references. Chapters come one at a time, so that one which did not change need not be written again.
--
-- The metadata `book` is JSON. Without `register` in it a chapter is registered: its tree comes back as one Div
-- `book-chapter` (attributes file, slug, appendix), with the metadata `register` as JSON, for each format: what is
-- defined in it, every id, what it cites; its floats, callouts, tabsets and equations are marked Divs and Spans by then
-- (`prepared`), unless the formats show different content. numbering.py makes of all registers the one of the book,
-- citations.py has the citation style write all citations. With them, the marked Divs and Spans get their numbers,
-- references are resolved and citations put in.
--
-- To look at every node of a chapter takes longer than what is done with it: so walks are few, and those for lists of
-- words (`Inlines`) fewest.
--
-- Problems are collected and raised together, one a line: HHP, file, needle, message (tab-separated).

local stringify = pandoc.utils.stringify
local html           -- is the chapter prepared for HTML?

local words = {}
local problems = {}
local seen_problems = {}
local entries = {}   -- what the chapter defines, in order: {id, kind, number, heading}
local defined = {}   -- id -> {kind, number}, of the whole book
local chapter        -- the chapter being read: {file, slug, appendix, number}
local renamed = {}   -- id -> id that is unique in the book, for the chapter's own headings
local chapter_ids = {} -- file -> id of its first heading

local function problem(needle, message)
  local line = table.concat({ "HHP", chapter.file, needle, message }, "\t")
  if not seen_problems[line] then table.insert(problems, line) end
  seen_problems[line] = true
end

local function has(el, class) return el.classes and el.classes:includes(class) end

local function define(id, kind, number, heading)
  table.insert(entries, { id = id, kind = kind, number = number or "", heading = heading or false })
end

---------------------------------------------------------------- conditional content

local both_alike = true -- does the chapter hold the same for both formats?

local function visible(el)
  local shown = has(el, "content-visible")
  if not shown and not has(el, "content-hidden") then return nil end
  both_alike = false
  local when, unless = el.attributes["when-format"], el.attributes["unless-format"]
  for _, format in ipairs({ when or "html", unless or "html" }) do
    if format ~= "html" then
      problem(format, "conditional content knows the format 'html' only (when-format or unless-format), not '" .. format .. "'")
    end
  end
  local holds = true
  if when then holds = html end
  if unless then holds = holds and not html end
  if shown then return holds else return not holds end
end

local conditional = {
  Div = function(el)
    local keep = visible(el)
    if keep == nil then return nil end
    return keep and el.content or {}
  end,
  Span = function(el)
    local keep = visible(el)
    if keep == nil then return nil end
    return keep and el.content or {}
  end,
}

---------------------------------------------------------------- raw text

local function comment(text) return text:match("^%s*<!%-%-.*%-%->%s*$") ~= nil end

local raw = {
  RawBlock = function(el)
    if el.format == "html" and comment(el.text) then return {} end
    if el.format == "html" and el.text:match("^<table class=\"gt_table\"") then return nil end
    problem(el.text:match("%S+") or "", "raw " .. el.format .. " shows in one format only: " .. el.text:sub(1, 40):gsub("%s+", " "))
  end,
  RawInline = function(el)
    if el.format == "html" and comment(el.text) then return {} end
    problem(el.text:match("%S+") or "", "raw " .. el.format .. " shows in one format only: " .. el.text:sub(1, 40):gsub("%s+", " "))
  end,
}

---------------------------------------------------------------- callouts, tabsets, code

local kinds = { note = true, tip = true, warning = true, important = true, caution = true }

local function callout(el)
  for _, class in ipairs(el.classes) do
    local kind = class:match("^callout%-(%a+)$")
    if kind then
      if not kinds[kind] then
        problem(class, "unknown callout '" .. class .. "'")
        return nil
      end
      local content, title = el.content:clone(), nil
      if el.attributes.title then
        title = pandoc.Inlines(pandoc.utils.blocks_to_inlines(pandoc.read(el.attributes.title, "markdown").blocks))
      elseif #content > 0 and content[1].t == "Header" then
        title = content:remove(1).content
      else
        title = pandoc.Inlines({ pandoc.Str(words[kind]) })
      end
      local collapse = el.attributes.collapse
      local div = pandoc.Div({
        pandoc.Div({ pandoc.Plain(title) }, pandoc.Attr("", { "box-title" })),
        pandoc.Div(content, pandoc.Attr("", { "box-body" })),
      }, pandoc.Attr(el.identifier, { "callout" }, { kind = kind }))
      if collapse then div.attributes.collapse = collapse end
      return div
    end
  end
end

local function tabset(el)
  if not has(el, "panel-tabset") then return nil end
  local tabs, level = pandoc.List(), nil
  for _, block in ipairs(el.content) do
    if block.t == "Header" and (level == nil or block.level == level) then
      level = block.level
      tabs:insert(pandoc.Div({ pandoc.Div({ pandoc.Plain(block.content) }, pandoc.Attr("", { "tab-title" })) }, pandoc.Attr("", { "tab" })))
    elseif #tabs > 0 then
      tabs[#tabs].content:insert(block)
    else
      problem("panel-tabset", "a tabset must begin with the heading of its first tab")
    end
  end
  return pandoc.Div(tabs, pandoc.Attr(el.identifier, { "tabset" }))
end

local blocks_first = {
  traverse = "topdown",
  Div = function(el) return callout(el) or tabset(el) end,
}

---------------------------------------------------------------- images and floats

local function alt_text(image, label, needs_own)
  local alt = image.attributes["fig-alt"]
  if alt and alt:match("%S") then
    image.attributes["fig-alt"] = nil
    return alt
  end
  if not needs_own and #image.caption > 0 and stringify(image.caption):match("%S") then return stringify(image.caption) end
  problem(label ~= "" and label or image.src,
    (label ~= "" and "the figure '" .. label .. "'" or "the image '" .. image.src .. "'") .. " has no fig-alt: say in words what it shows")
  return "?"
end

local function with_alt(blocks, label, needs_own)
  return blocks:walk({
    Image = function(image)
      image.caption = { pandoc.Str(alt_text(image, label, needs_own)) }
      image.title = ""
      image.classes:insert("described")
      return image
    end,
  })
end

local function without_notes(inlines, needle, where)
  pandoc.Inlines(inlines):walk({
    Note = function() problem(needle, "a footnote cannot stand in " .. where .. ": lists of figures and contents repeat it") end,
  })
end

local function float(kind, id, body, caption, given)
  without_notes(caption, id, "a caption")
  local attributes = { kind = kind }
  for _, name in ipairs({ "data-presenter", "data-results" }) do
    if given and given[name] then attributes[name] = given[name] end
  end
  local div = pandoc.Div({
    pandoc.Div(body, pandoc.Attr("", { "float-body" })),
    pandoc.Div({ pandoc.Plain(caption) }, pandoc.Attr("", { "float-caption" })),
  }, pandoc.Attr(id, { "float" }, attributes))
  return div
end

local function caption_inlines(caption)
  return pandoc.Inlines(pandoc.utils.blocks_to_inlines(caption.long))
end

local floats = {
  traverse = "topdown",
  Figure = function(el)
    local body = with_alt(el.content, el.identifier, el.identifier:match("^fig%-") ~= nil)
    return float("fig", el.identifier, body, caption_inlines(el.caption)), false
  end,
  Table = function(el)
    if el.identifier == "" and #el.caption.long == 0 then return nil end
    local id, caption = el.identifier, caption_inlines(el.caption)
    el.identifier = ""
    el.caption = pandoc.Caption({})
    return float("tbl", id, pandoc.Blocks({ el }), caption), false
  end,
  Div = function(el)
    local kind = el.identifier:match("^(fig)%-") or el.identifier:match("^(tbl)%-")
    if not kind or has(el, "float") then return nil end
    local content = el.content:clone()
    local last = content[#content]
    if not last or last.t ~= "Para" or #content < 2 then
      problem(el.identifier, "'" .. el.identifier .. "' has no caption: write it as the last paragraph of the block")
      return nil
    end
    content:remove(#content)
    -- An image alone in a paragraph inside the block is the body, not a float of its own.
    content = content:walk({
      Figure = function(inner)
        if inner.identifier == "" then return inner.content end
        problem(inner.identifier, "figures within the figure '" .. el.identifier .. "' cannot have labels of their own")
      end,
    })
    return float(kind, el.identifier, with_alt(content, el.identifier, true), last.content, el.attributes), false
  end,
}

local images = {
  Image = function(image)
    if has(image, "described") then return nil end
    image.caption = { pandoc.Str(alt_text(image, "", false)) }
    image.classes:insert("described")
    return image
  end,
}

---------------------------------------------------------------- equations

-- `$$…$$ {#eq-x alt="words"}` arrives as mathematics followed by text; returns a Span, and the rest.
local function equation(inlines)
  if not inlines:find_if(function(el) return el.t == "Math" and el.mathtype == "DisplayMath" end) then return nil end
  local out, at = pandoc.Inlines({}), 1
  while at <= #inlines do
    local el = inlines[at]
    local next_at = at + 1
    if el.t == "Math" and el.mathtype == "DisplayMath" then
      local look = at + 1
      if inlines[look] and (inlines[look].t == "Space" or inlines[look].t == "SoftBreak") then look = look + 1 end
      if inlines[look] and inlines[look].t == "Str" and inlines[look].text:match("^{#") then
        local id, alt, closed = inlines[look].text:match("^{#([%w%-_:.]+)"), nil, false
        local stop = look
        while inlines[stop] do
          local piece = inlines[stop]
          if piece.t == "Quoted" then alt = stringify(piece.content) end
          if piece.t == "Str" and piece.text:match("}[%.,;]?$") then closed = true break end
          stop = stop + 1
        end
        if not closed or not id or not id:match("^eq%-") then
          problem(id or "{#", "the braces after an equation must hold a label '#eq-…' and perhaps alt=\"…\"")
        else
          local tail = inlines[stop].text:match("}([%.,;])$")
          el = pandoc.Span({ el }, pandoc.Attr(id, { "equation" }, { alt = alt or el.text }))
          next_at = stop + 1
          if tail then
            out:insert(el)
            el = pandoc.Str(tail)
          end
        end
      end
    end
    out:insert(el)
    at = next_at
  end
  return out
end

---------------------------------------------------------------- numbers

-- `alone`: how many floats and equations stand in the chapters without a number before this one.
local function numbered(div, own_number, alone)
  local count = { fig = 0, tbl = 0, eq = 0 }
  local sections = { 0, 0, 0, 0, 0, 0 }
  local headings = 0

  local function next_number(kind)
    count[kind] = count[kind] + 1
    if chapter.number then return chapter.number .. "." .. count[kind] end
    return string.format("%d", (alone[kind] or 0) + count[kind])
  end

  local function header(el)
    without_notes(el.content, el.identifier, "a heading")
    if el.level == 1 then
      headings = headings + 1
      if headings > 1 then problem(stringify(el), "a second level-one heading: one chapter, one '# Title'") end
      if not has(el, "unnumbered") and own_number then
        chapter.number = own_number
        el.attributes.number = chapter.number
      end
    elseif chapter.number and not has(el, "unnumbered") then
      sections[el.level] = sections[el.level] + 1
      for deeper = el.level + 1, 6 do sections[deeper] = 0 end
      local parts = { chapter.number }
      for level = 2, el.level do table.insert(parts, tostring(sections[level])) end
      el.attributes.number = table.concat(parts, ".")
    end
    if headings == 0 then problem(stringify(el), "the chapter must begin with a level-one heading") end
    -- Pandoc makes ids of headings from their words: the same words occur in several chapters.
    el.identifier = renamed[el.identifier] or el.identifier
    local kind = el.level > 1 and "section" or (chapter.appendix and "appendix" or "chapter")
    define(el.identifier, kind, el.attributes.number, true)
    return el
  end

  local result = div:walk({
    traverse = "topdown",
    Header = header,
    Div = function(el)
      if has(el, "float") and el.identifier:match("^%a+%-") then
        local kind = el.attributes.kind
        if not el.identifier:match("^" .. kind .. "%-") then
          problem(el.identifier, "the label '" .. el.identifier .. "' must begin with '" .. kind .. "-'")
        end
        el.attributes.number = next_number(kind)
        define(el.identifier, kind == "fig" and "figure" or "table", el.attributes.number)
        return el
      elseif el.identifier ~= "" and el.identifier ~= "refs" and not has(el, "book-chapter") then
        define(el.identifier, "block", nil)
      end
    end,
    Span = function(el)
      if has(el, "equation") then
        el.attributes.number = next_number("eq")
        define(el.identifier, "equation", el.attributes.number)
        return el
      elseif el.identifier ~= "" then
        define(el.identifier, "block", nil)
      end
    end,
  })
  if headings == 0 then problem("", "the chapter has no level-one heading ('# Title {#sec-name}')") end
  return result
end

---------------------------------------------------------------- references

local nbsp = "\u{a0}"

local function is_reference(id) return id:match("^fig%-") or id:match("^tbl%-") or id:match("^eq%-") or id:match("^sec%-") end

local function reference(citation)
  local target = defined[citation.id]
  if not target then
    problem("@" .. citation.id, "'@" .. citation.id .. "' refers to nothing: no such label in the book")
    return pandoc.Str("?")
  end
  if target.number == "" then
    problem("@" .. citation.id, "'@" .. citation.id .. "' refers to something without a number; write a link instead")
    return pandoc.Str("?")
  end
  local section = target.kind == "section" or target.kind == "chapter" or target.kind == "appendix"
  if section and not chapter.number then
    problem("@" .. citation.id, "'@" .. citation.id .. "' stands in a chapter without a number, where Quarto prints the"
      .. " section's whole title for it: write a link")
    return pandoc.Str("?")
  end
  local text = pandoc.Inlines({})
  if #citation.prefix > 0 then
    text:extend(citation.prefix)
    text:insert(pandoc.Str(nbsp))
  elseif citation.mode ~= "SuppressAuthor" then
    text:insert(pandoc.Str(words[target.kind] .. nbsp))
  end
  text:insert(pandoc.Str(target.number))
  local link = pandoc.Link(text, "#" .. citation.id, "", pandoc.Attr("", { "xref" }))
  if #citation.suffix == 0 then return link end
  local out = pandoc.Inlines({ link })
  out:extend(citation.suffix)
  return pandoc.Span(out)
end

-- Of a pair of brackets: how many references to the book, how many citations of sources.
local function counted(cite)
  local ours, others = 0, 0
  for _, citation in ipairs(cite.citations) do
    if is_reference(citation.id) then ours = ours + 1 else others = others + 1 end
  end
  return ours, others
end

-- `citations`: the chapter's citations as the citation style writes them, in the order of `registered`.
local function references(citations)
  local used = 0
  return {
    Cite = function(el)
      local ours, others = counted(el)
      if ours == 0 then
        used = used + 1
        return citations[used].content[1]
      end
      if others > 0 then
        problem("@" .. el.citations[1].id, "one pair of brackets holds both references and citations; separate them")
      end
      local out = pandoc.Inlines({})
      for at, citation in ipairs(el.citations) do
        if at > 1 then out:extend({ pandoc.Str(","), pandoc.Space() }) end
        out:insert(reference(citation))
      end
      return out
    end,
    Link = function(el)
      local id = el.target:match("^#(.+)$")
      if id then
        local new = renamed[id]
        if new then
          el.target = "#" .. new
          return el
        end
        if not defined[id] then problem(el.target, "the link to '" .. el.target .. "' has no target in the book") end
        return nil
      end
      local path, anchor = el.target:match("^([^:#]+%.qmd)#?(.*)$")
      if path then
        local folder = chapter.file:match("^(.*)/[^/]*$")
        local full = path:match("^/") and path:sub(2) or (folder and folder .. "/" or "") .. path
        full = pandoc.path.normalize(full)
        while full:match("[^/]+/%.%./") do full = full:gsub("[^/]+/%.%./", "", 1) end
        local target = chapter_ids[full]
        if not target or (anchor ~= "" and not defined[anchor]) then
          problem(el.target, "the link to '" .. el.target .. "' has no target in the book")
          return nil
        end
        el.target = "#" .. (anchor ~= "" and anchor or target)
        return el
      end
      if not el.target:match("^%a[%w+.-]*:") then
        problem(el.target, "the link to '" .. el.target .. "' is neither an address nor a place in the book")
      end
    end,
  }
end

---------------------------------------------------------------- codes

-- Codes of clauses, conflicts, rules and results become links to their entries (codes.py): not within links, code
-- blocks, headings and captions, which lists repeat, and not the entry itself.
local CODE = "%u[%u%d-]*[%u%d]" -- what is no code of the book, as CONSORT, is not among its `codes`
local function code_links(codes)
  local function link(text, place) return pandoc.Link({ pandoc.Str(text) }, "#" .. place, "", pandoc.Attr("", { "code" })) end
  local function within(el) return el, false end
  return {
    traverse = "topdown",
    Link = within, Header = within, CodeBlock = within, Math = within, Image = within, RawBlock = within,
    Div = function(el) if has(el, "float-caption") then return el, false end end,
    Span = function(el) if el.identifier ~= "" or has(el, "result") then return el, false end end,
    Code = function(el)
      local place = codes[el.text]
      if place then return pandoc.Link({ el }, "#" .. place, "", pandoc.Attr("", { "code" })), false end
    end,
    Str = function(el)
      local text = el.text
      local first, last = text:find(CODE)
      if not first then return nil end -- as nearly every word: nothing may be made for it
      local out, from = pandoc.Inlines({}), 1
      while first do
        local before, after = text:sub(first - 1, first - 1), text:sub(last + 1, last + 1)
        local place = codes[text:sub(first, last)]
        if place and not before:match("[%w/#._-]") and not after:match("[%w/_-]") then
          if first > from then out:insert(pandoc.Str(text:sub(from, first - 1))) end
          out:insert(link(text:sub(first, last), place))
          from = last + 1
        end
        first, last = text:find(CODE, last + 1)
      end
      if from == 1 then return nil end
      if from <= #text then out:insert(pandoc.Str(text:sub(from))) end
      return out, false
    end,
  }
end

---------------------------------------------------------------- what stays on a line

-- "p = .03", "p < .001" and "< .001" are read as one word: no line may end within them.
local SIGN = { ["="] = true, ["<"] = true, [">"] = true }

local function blank(el) return el and (el.t == "Space" or el.t == "SoftBreak") end

-- The sign at the beginning of a word or of a marked number.
local function sign(el)
  if not el then return false end
  if el.t == "Str" then return SIGN[el.text] or false end
  return el.t == "Span" and #el.content > 0 and sign(el.content[1])
end

-- A figure at the beginning of a word or of a marked number.
local function figure(el)
  if not el then return false end
  if el.t == "Str" then return el.text:match("^%.?%d") ~= nil end
  return el.t == "Span" and #el.content > 0 and figure(el.content[1])
end

local NO_BREAK = "\u{a0}"

local function kept_together(inlines)
  local changed = false
  for at = 1, #inlines - 2 do
    local el = inlines[at]
    local word = el.t == "Str" and el.text
    if word and word:match("^[%(%[]?p$") and blank(inlines[at + 1]) and sign(inlines[at + 2]) then
      inlines[at + 1], changed = pandoc.Str(NO_BREAK), true
      if blank(inlines[at + 3]) then inlines[at + 3] = pandoc.Str(NO_BREAK) end
    elseif at == 1 and SIGN[word] and blank(inlines[2]) then
      inlines[2], changed = pandoc.Str(NO_BREAK), true
    elseif (word == "<" or word == ">") and blank(inlines[at + 1]) and figure(inlines[at + 2]) then
      inlines[at + 1], changed = pandoc.Str(NO_BREAK), true
    end
  end
  if changed then return inlines end
end

---------------------------------------------------------------- one chapter

-- What is done with every list of words.
local function in_words(inlines)
  local marked = equation(inlines)
  return kept_together(marked or inlines) or marked
end

local function prepared(div)
  chapter = {
    file = div.attributes.file, slug = div.attributes.slug, appendix = div.attributes.appendix == "true",
  }
  if div.attributes.prepared then return div end
  div = div:walk(conditional):walk(raw):walk(blocks_first)
  return div:walk(floats):walk({ Image = images.Image, Inlines = in_words })
end

-- What the book must know of a chapter in one format. "@" stands for the chapter's number, not known yet.
local function registered(div, number_sections)
  entries = {}
  local before = prepared(div)
  div = numbered(before, number_sections and "@" or nil, {})
  local ids, cites, lists = pandoc.List(), pandoc.List(), 0
  local function note(el) if el.identifier and el.identifier ~= "" then ids:insert(el.identifier) end end
  div:walk({
    Header = note, CodeBlock = note, Table = note, Figure = note, Span = note, Link = note, Code = note, Image = note,
    Div = function(el)
      note(el)
      if el.identifier == "refs" then lists = lists + 1 end
    end, -- so far all that may have an id
    Cite = function(el)
      if counted(el) == 0 then cites:insert(pandoc.write(pandoc.Pandoc({ pandoc.Plain({ el }) }), "json")) end
    end,
  })
  return {
    entries = pandoc.List(entries), ids = ids, cites = cites, lists = lists,
    numbered = chapter.number ~= nil,
  }, before
end

-- A note of a citation style that cites in notes stands close to the word, after its punctuation.
local function notes_in_place(inlines)
  local changed = false
  for at = #inlines, 1, -1 do
    local el = inlines[at]
    if el.t == "Cite" and #el.content > 0 and el.content[1].t == "Note" then
      local after = inlines[at + 1]
      local marks, rest = (after and after.t == "Str" and after.text or ""):match("^([%.,;:!?]*)(.*)$")
      if marks ~= "" then
        if rest == "" then inlines:remove(at + 1) else inlines[at + 1] = pandoc.Str(rest) end
        inlines:insert(at, pandoc.Str(marks))
      end
      local before = inlines[at - 1]
      if before and (before.t == "Space" or before.t == "SoftBreak") then inlines:remove(at - 1) end
      changed = true
    end
  end
  if changed then return inlines end
end

-- What Python knows of the chapter and the book, as JSON.
local function given(doc) return pandoc.json.decode(stringify(doc.meta.book), false) end

function Pandoc(doc)
  local book = given(doc)
  words = book.words
  if book.register == nil then
    local div = pandoc.Div(doc.blocks, pandoc.Attr("", { "book-chapter" }, book.attributes))
    local register = {}
    local before
    html = true
    register.html, before = registered(div, book["number-sections"])
    html = false
    if both_alike then
      register.typst, div = register.html, before
      div.attributes.prepared = "true"
    else
      register.typst = registered(div, book["number-sections"])
    end
    if #problems > 0 then error(table.concat(problems, "\n"), 0) end
    return pandoc.Pandoc({ div }, { register = pandoc.json.encode(register) })
  end
  html = FORMAT:match("^html") ~= nil
  local register = book.register
  defined, chapter_ids, renamed = register.defined, register.chapters, register.renamed
  local number = register.number ~= "" and register.number or nil
  local div = numbered(prepared(doc.blocks[1]), number, register.alone)
  local citations = book.citations ~= "" and pandoc.read(book.citations, "json").blocks or {}
  div = div:walk(references(citations))
  if next(register.codes) then div = div:walk(code_links(register.codes)) end
  local in_notes = false
  for _, block in ipairs(citations) do block:walk({ Note = function() in_notes = true end }) end
  if in_notes then div = div:walk({ Inlines = notes_in_place }) end
  if book.references ~= "" then
    local list = pandoc.read(book.references, "json").blocks[1]
    div = div:walk({ Div = function(el) if el.identifier == "refs" then return list end end })
  end
  if #problems > 0 then error(table.concat(problems, "\n"), 0) end
  doc.blocks = { div }
  return doc
end
