//! Who a party proves to be: certificates, SPIFFE ids, and the TLS configurations that check them.
