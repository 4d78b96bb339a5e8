-- The load of `npm run bench`, run by wrk: one order of two items, the customers in turn, a new Idempotency-Key each time.
-- wrk ... -s orders.lua URL -- TOKENS_FILE RUN
local body = '{"items":[{"sku":"product-1","quantity":1},{"sku":"product-2","quantity":2}],"payment":{"method":"counter"}}'
local heads = {}
local run
local count = 0

function init(args)
  for token in io.lines(args[1]) do
    heads[#heads + 1] = table.concat({
      'POST /v1/orders HTTP/1.1',
      'Host: 127.0.0.1',
      'Authorization: Bearer ' .. token,
      'Content-Type: application/json',
      'Content-Length: ' .. #body,
      'Idempotency-Key: ',
    }, '\r\n')
  end
  run = args[2]
  math.randomseed(os.time())
end

-- The key begins at random, as those of real clients do: their index has no end where all of them go.
function request()
  count = count + 1
  return string.format('%s%07x-%s-%d\r\n\r\n%s', heads[count % #heads + 1], math.random(0, 0xfffffff), run, count, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'LOAD {"answers":%d,"microseconds":%d,"p50":%d,"p99":%d,"max":%d,"refused":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
