-- The numbered book as Typst: every node that needs a number, an alternative text or a tag of its own
-- becomes a call of a function in report.typ.

local stringify = pandoc.utils.stringify
local words = {}

local function quote(text)
  return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"'):gsub("\n", " ") .. '"'
end

local function has(el, class) return el.classes and el.classes:includes(class) end

local function raw(text) return pandoc.RawBlock("typst", text) end

-- What is Typst already needs no writer, and calling it takes a millisecond: so it is with most tables and figures.
local function is_typst(el, kind) return el.t == kind and el.format == "typst" end

local function write(blocks)
  local only = #blocks == 1 and blocks[1]
  if only and is_typst(only, "RawBlock") then return only.text end
  if only and only.t == "Para" then
    local inlines = only.content
    if #inlines == 1 and is_typst(inlines[1], "RawInline") then return inlines[1].text .. "\n" end
  end
  return pandoc.write(pandoc.Pandoc(blocks), "typst-citations", PANDOC_WRITER_OPTIONS)
end

-- The index at the end lists the pages that print a result.
local function printed(el)
  local id = el.attributes["data-result"] or el.attributes.result
  return id and "#printed(" .. quote(id) .. ")" or ""
end

local long_word -- characters: a longer identifier may end its line after an underscore, as column_widths.py reckons

-- The place of a code's entry: nothing but a name that Typst takes as it is.
local function is_place(el)
  return el.identifier:match("^%a[%w-]*$") and #el.classes == 0 and #el.attributes == 0
end

-- Plain words need no writer: most cells of most tables are, and a call for each would take seconds.
local function plain_words(inlines)
  local parts = {}
  for _, el in ipairs(inlines) do
    if el.t == "Str" then
      local text = el.text:gsub("[\\#$*_`<>@~=%-+/%[%]\"'{}().:;^|]", "\\%0")
      if #el.text > long_word then text = text:gsub("\\_", "\\_\u{200b}") end
      table.insert(parts, text)
    elseif el.t == "Space" or el.t == "SoftBreak" then
      table.insert(parts, " ")
    elseif el.t == "RawInline" and el.format == "typst" then
      table.insert(parts, el.text)
    elseif el.t == "Code" and not el.text:match("`") then
      local text = el.text
      if #text > long_word then text = text:gsub("_", "_\u{200b}") end
      table.insert(parts, "`" .. text .. "`")
    elseif el.t == "Strong" or el.t == "Emph" then
      local inner = plain_words(el.content)
      if not inner then return nil end
      table.insert(parts, (el.t == "Strong" and "#strong[" or "#emph[") .. inner .. "]")
    elseif el.t == "Span" and (has(el, "result") or is_place(el)) then
      local inner = plain_words(el.content)
      if not inner then return nil end
      table.insert(parts, inner .. (has(el, "result") and printed(el) or "<" .. el.identifier .. ">"))
    else
      return nil
    end
  end
  return table.concat(parts)
end

local function write_inlines(inlines)
  return plain_words(inlines) or (write({ pandoc.Plain(inlines) }):gsub("%s+$", ""))
end

local function label(id) return id ~= "" and " #label(" .. quote(id) .. ")" or "" end

local function attached(id) return id ~= "" and "#label(" .. quote(id) .. ")" or "" end

---------------------------------------------------------------- tables

local alignments = { AlignLeft = "left", AlignRight = "right", AlignCenter = "center" }

local function row_of_cells(row)
  local cells = pandoc.List()
  for _, cell in ipairs(row.cells) do
    -- The contents last, and once: whatever is asked of a cell after them takes ten times as long.
    local side, columns, rows = alignments[cell.alignment], cell.col_span, cell.row_span
    local contents = cell.contents
    local text = #contents == 1 and contents[1].t == "Plain" and plain_words(contents[1].content)
    cells:insert({ text = text or (write(contents):gsub("%s+$", "")), side = side, columns = columns, rows = rows })
  end
  return cells
end

-- typst_tables.py puts the table in the place of this line.
local function mark(content) return raw("//hhp-table " .. pandoc.json.encode(content)) end

local function described(tbl)
  local found = { sides = pandoc.List(), head = pandoc.List(), rows = pandoc.List(), notes = pandoc.List() }
  for at, spec in ipairs(tbl.colspecs) do found.sides[at] = alignments[spec[1]] or "left" end
  for _, row in ipairs(tbl.head.rows) do found.head:insert(row_of_cells(row)) end
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.head) do found.rows:insert(row_of_cells(row)) end
    for _, row in ipairs(body.body) do found.rows:insert(row_of_cells(row)) end
  end
  for _, row in ipairs(tbl.foot.rows) do found.notes:extend(row_of_cells(row)) end
  return mark(found)
end

local function set_aside(text) return mark({ kept = text:match(' data%-kept="(%d+)"') }) end

---------------------------------------------------------------- nodes

local function header(el)
  local number = el.attributes.number
  local arguments = { "level: " .. el.level, "numbering: " .. (number and "(..) => " .. quote(number) or "none") }
  if el.level == 1 and number then
    table.insert(arguments, "supplement: [" .. words[number:match("^%a") and "appendix" or "chapter"] .. "]")
  elseif number then
    table.insert(arguments, "supplement: [" .. words.section .. "]")
  end
  return raw("#heading(" .. table.concat(arguments, ", ") .. ")[" .. write_inlines(el.content) .. "]" .. attached(el.identifier))
end

local function float(el)
  local kind, number = el.attributes.kind, el.attributes.number
  local body = write(el.content[1].content)
  -- A caption is printed again in the list of figures: only the numbers within the float count as printed.
  local caption = write_inlines(el.content[2].content[1].content):gsub('#printed%(".-"%)', "")
  local arguments = {
    "kind: " .. (kind == "fig" and "image" or "table"),
    "supplement: [" .. words[kind == "fig" and "figure" or "table"] .. "]",
    "numbering: " .. (number and "(..) => " .. quote(number) or "none"),
  }
  if not number then table.insert(arguments, "outlined: false") end
  -- What the head of a table says where it goes on on another page.
  local named = ""
  if kind == "tbl" and number and el.identifier ~= "" then
    named = "#let float = (" .. quote(el.identifier) .. ", [" .. words.table .. " " .. number .. ", " .. words.continued .. "])\n"
  end
  if caption ~= "" then table.insert(arguments, "caption: [" .. caption .. "]") end
  local name = el.identifier
  if kind == "fig" and name ~= "" then
    -- A picture moves to the head or foot of a page, but Typst says of it where it would have stood: what moves with it
    -- bears its name, so that links and the list of figures lead to the page it is on.
    body = "#entry-place(" .. quote(name) .. ")" .. body
    name = "float-" .. name
  end
  return raw("#figure(" .. table.concat(arguments, ", ") .. ")[\n" .. named .. body .. "\n]" .. attached(name))
end

local function div(el)
  if has(el, "float") then return float(el) end
  if has(el, "callout") then
    return raw("#callout(kind: " .. quote(el.attributes.kind) .. ", title: [" .. write_inlines(el.content[1].content[1].content) .. "])[\n"
      .. write(el.content[2].content) .. "\n]" .. attached(el.identifier))
  end
  if has(el, "tabset") then
    local out = pandoc.Blocks({})
    for _, tab in ipairs(el.content) do
      out:insert(raw("#tab-title[" .. write_inlines(tab.content[1].content[1].content) .. "]"))
      for at = 2, #tab.content do out:insert(tab.content[at]) end
    end
    return out
  end
  if has(el, "pagebreak") then return raw("#pagebreak(weak: true)") end
  if has(el, "landscape") then return raw("#landscape[\n" .. write(el.content) .. "\n]") end
  if has(el, "csl-entry") then
    return raw("#bib-entry[" .. (write(el.content):gsub("%s+$", "")) .. "]" .. attached(el.identifier))
  end
  if el.identifier == "refs" then return el.content end
  if has(el, "cell-output") or has(el, "code-fold") then return el.content end
  if el.attributes["layout-ncol"] then
    local cells = {}
    for _, block in ipairs(el.content) do table.insert(cells, "[\n" .. write({ block }) .. "\n]") end
    return raw("#columns-grid(" .. math.floor(tonumber(el.attributes["layout-ncol"]) or 2) .. ", " .. table.concat(cells, ", ") .. ")")
  end
  if el.identifier ~= "" then
    return raw("#block[\n" .. write(el.content) .. "\n]" .. attached(el.identifier))
  end
  if has(el, "book-chapter") then return el.content end
end

-- Every formula of the chapter in Typst, by kind and TeX: written in one go, since each call of the writer takes a
-- millisecond. Converted TeX must come out as mathematics; else Pandoc has written escaped text.
local formulas = {}
local CUT = "//hhp-formula"

local function name_of(el) return el.mathtype .. "\n" .. el.text end

local function write_formulas(doc)
  local found, blocks = pandoc.List(), pandoc.Blocks({})
  doc:walk({
    Math = function(el)
      if formulas[name_of(el)] then return end
      formulas[name_of(el)] = ""
      found:insert(el)
      blocks:extend({ pandoc.Plain({ el }), raw(CUT) })
    end,
  })
  if #found == 0 then return end
  local text, from = write(blocks), 1
  for _, el in ipairs(found) do
    local first, last = text:find(CUT, from, true)
    local body = text:sub(from, first - 1):match("^%s*(.-)%s*$")
    if not body:match("^%$") then
      error("HHP\t" .. "" .. "\t" .. el.text:match("%S+") .. "\tthis TeX cannot be converted to Typst: " .. el.text, 0)
    end
    formulas[name_of(el)] = body
    from = last + 1
  end
end

local function equation(el, alt, number, id)
  return pandoc.RawInline("typst", "#equation(" .. quote(alt) .. (number and ", number: " .. quote(number) or "") .. ")[" .. formulas[name_of(el)] .. "]" .. (id and attached(id) or ""))
end

local inline = {
  traverse = "topdown",
  Span = function(el)
    if has(el, "equation") then
      local maths = el.content:find_if(function(inner) return inner.t == "Math" end)
      return equation(maths, el.attributes.alt, el.attributes.number, el.identifier), false
    end
    if has(el, "result") then
      el.content:insert(pandoc.RawInline("typst", printed(el)))
      return el.content
    end
  end,
  Math = function(el) return equation(el, el.text) end,
  Image = function(el)
    local share = (el.attributes.width or ""):match("^%d+%%$")
    return pandoc.RawInline("typst", "#image(" .. quote(el.src) .. ", alt: " .. quote(stringify(el.caption))
      .. (share and ", width: " .. share or "") .. ")"), false
  end,
}

local volumes, page_of, chapter_ids = {}, {}, {} -- slug -> volume, id -> slug, ids of chapters
local current -- the volume of the chapter being written

-- Whoever holds the other volume in hand is told so; volumes.py turns the link into one to its file.
local function elsewhere(el, id)
  local volume = volumes[page_of[id]]
  if not volume or volume == current then return "" end
  if has(el, "xref") then return " " .. words.of_volume .. "\u{a0}" .. string.format("%d", volume) end
  if chapter_ids[id] then return " (" .. words.volume .. "\u{a0}" .. string.format("%d", volume) .. ")" end
  return ""
end

local links = {
  Link = function(el)
    local id = el.target:match("^#(.+)$")
    if id then
      return pandoc.RawInline("typst", "#link(label(" .. quote(id) .. "))[" .. write_inlines(el.content) .. "]" .. elsewhere(el, id))
    end
  end,
}

-- Long identifiers in running text may end their line after a dot, a slash or an underscore: a line of few words would
-- be spread over the width of the page.
local function with_breaks(para)
  return para:walk({
    Code = function(el)
      if #el.text > long_word then el.text = el.text:gsub("[._/]%f[%w]", "%0\u{200b}") end
      return el
    end,
  })
end

-- What announces a list stands on the page where the list begins.
local function before_lists(blocks)
  for at = 1, #blocks - 1 do
    local following = blocks[at + 1].t
    if blocks[at].t == "Para" and (following == "BulletList" or following == "OrderedList") then
      blocks[at] = raw("#block(sticky: true)[\n" .. write({ blocks[at] }) .. "\n]")
    end
  end
  return blocks
end

function Pandoc(doc)
  local book = pandoc.json.decode(stringify(doc.meta.book), false)
  words, long_word = book.words, book["long-word"]
  volumes, page_of = book.register.volumes, book.register.pages
  for _, id in pairs(book.register.chapters) do chapter_ids[id] = true end
  current = volumes[doc.blocks[1].attributes.slug]
  if book.formulas then write_formulas(doc) end
  doc = doc:walk(inline):walk(links)
  doc = doc:walk({
    Header = header,
    Div = div,
    Table = described,
    Para = with_breaks,
    Blocks = before_lists,
    RawBlock = function(el) if el.format == "html" then return set_aside(el.text) end end,
  })
  return doc
end
