mod demo_endpoint;
