// Loaded with --require: servers keep idle connections open. By default Node closes them after five seconds, and a client
// that sends its next request in that moment, as happens on a loaded machine, loses it without anybody's fault.
const http = require('node:http');
const listen = http.Server.prototype.listen;

http.Server.prototype.listen = function (...args) {
  this.keepAliveTimeout = 120_000;
  return listen.apply(this, args);
};
