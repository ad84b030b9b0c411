-- A post-dissector for runs saved with tcpwhy -o FILE.pcapng: columns and filters for why each segment was sent, by whom, and by
-- which call. It reads what stands in the file for everybody: packets' comments and journal entries. See README.md beside it.
--
--   tcpwhy.why   a packet's sentence: "SYN sent by connect(3, 127.0.0.1:3333) of echo-client[812]: the active open"
--   tcpwhy.segment   its number in its connection, to which other sentences refer: #4
--   tcpwhy.evidence   how it is known: "kernel stack"
--   tcpwhy.pid, tcpwhy.process, tcpwhy.call   of the call that sent the segment, or of the row's own call

local tcpwhy = Proto("tcpwhy", "Why it was sent (tcpwhy)")

local why = ProtoField.string("tcpwhy.why", "Why")
local segment = ProtoField.uint32("tcpwhy.segment", "Segment", base.DEC)
local evidence = ProtoField.string("tcpwhy.evidence", "Evidence")
local pid = ProtoField.uint32("tcpwhy.pid", "PID", base.DEC)
local process = ProtoField.string("tcpwhy.process", "Process")
local call = ProtoField.string("tcpwhy.call", "Call")
tcpwhy.fields = { why, segment, evidence, pid, process, call }

local comments = Field.new("frame.comment")
local writer = Field.new("systemd_journal.syslog_id")
local journal_pid = Field.new("systemd_journal.pid")
local journal_comm = Field.new("systemd_journal.comm")
local journal_call = Field.new("systemd_journal.code_func")

local EVIDENCE = {
    ["kernel stack"] = true,
    ["kernel context"] = true,
    ["call interval"] = true,
    ["RFC rule"] = true,
    ["unknown"] = true,
}

-- The sentence, its evidence, which stands behind the last " · ", and its number, before that; nil: this comment is somebody else's.
local function split(comment)
    local at, from = nil, 1
    while true do
        local found = comment:find(" · ", from, true)
        if not found then break end
        at, from = found, found + 1
    end
    if not at then return nil end
    local known = comment:sub(at + #" · ")
    if not EVIDENCE[known] then return nil end
    local sentence, number = comment:sub(1, at - 1):match("^(.*) · #(%d+)$")
    return sentence or comment:sub(1, at - 1), known, tonumber(number)
end

-- Name and process of the call: "… sent by connect(3, …) of echo-client[812]: …", "…: … (connect(3, …) of echo-client[812])".
local function caller(sentence)
    local name, rest = sentence:match("sent by ([%w_]+)(%b().*)$")
    if not name then name, rest = sentence:match(" %(([%w_]+)(%b() of .*)%)$") end
    if not name then return nil end
    local comm, number = rest:match("^%b() of (.-)%[(%d+)%]")
    return name, comm, tonumber(number)
end

local function add(tree, sentence, known, own, name, comm, number)
    local branch = tree:add(tcpwhy)
    if sentence then branch:add(why, sentence):set_generated() end
    if own then branch:add(segment, own):set_generated() end
    if known then branch:add(evidence, known):set_generated() end
    if number then branch:add(pid, number):set_generated() end
    if comm and comm ~= "" then branch:add(process, comm):set_generated() end
    if name then branch:add(call, name):set_generated() end
end

local function first(info)
    return info and tostring(info.value) or nil
end

function tcpwhy.dissector(_, _, tree)
    for _, comment in ipairs({ comments() }) do
        local sentence, known, own = split(comment.value)
        if sentence then
            add(tree, sentence, known, own, caller(sentence))
            return
        end
    end
    if first(writer()) ~= "tcpwhy" then return end
    add(tree, nil, nil, nil, first(journal_call()), first(journal_comm()), tonumber(first(journal_pid())))
end

register_postdissector(tcpwhy)
