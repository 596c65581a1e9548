// Loaded with --require: servers that bind every interface bind 127.0.0.1, and say which port they got.
const dns = require('node:dns');
const net = require('node:net');
const listen = net.Server.prototype.listen;
const lookup = dns.lookup;

net.Server.prototype.listen = function (...args) {
  if (typeof args[0] === 'number' || (typeof args[0] === 'string' && /^\d+$/.test(args[0]))) {
    if (typeof args[1] !== 'string') args.splice(1, 0, '127.0.0.1');
  } else if (args[0] && typeof args[0] === 'object' && args[0].port !== undefined && !args[0].host) {
    args[0] = { ...args[0], host: '127.0.0.1' };
  }
  this.once('listening', () => console.log(`listening 127.0.0.1:${this.address().port}`));
  return listen.apply(this, args);
};

// With a host to bind, Node looks it up first and has no port until then; a server that binds everything may ask for its
// port at once. So that it still can, this one address is looked up at once.
dns.lookup = function (host, options, done) {
  if (host !== '127.0.0.1') return lookup.apply(this, arguments);
  const answer = typeof options === 'function' ? options : done;
  return options?.all ? answer(null, [{ address: host, family: 4 }]) : answer(null, host, 4);
};
