-- How often each name is asked for, the smallest useful job on DNS traffic: dnsjit names.lua FILE
local count_of = {}
local object = require("dnsjit.core.objects")
local input = require("dnsjit.input.mmpcap").new()
local layer = require("dnsjit.filter.layer").new()
local dns = require("dnsjit.core.object.dns").new()
local label = require("dnsjit.core.object.dns.label")
local labels = label.new(16)
local question = require("dnsjit.core.object.dns.q").new()

input:open(arg[2])
layer:producer(input)
local produce, context = layer:produce()
local messages = 0
while true do
    local payload = produce(context)
    if payload == nil then break end
    if payload:type() == "payload" and payload:cast().len > 0 then
        local below = payload.obj_prev
        dns.obj_prev = payload
        dns.includes_dnslen = (below ~= nil and below.obj_type == object.TCP) and 1 or 0
        if dns:parse_header() == 0 and dns.qdcount > 0 and dns:parse_q(question, labels, 16) == 0 then
            local name = label.tooffstr(dns, labels, 16)
            count_of[name] = (count_of[name] or 0) + 1
            messages = messages + 1
        end
    end
end
local names = 0
for _ in pairs(count_of) do names = names + 1 end
print(messages .. " messages, " .. names .. " names")
