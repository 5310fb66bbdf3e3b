package main

import (
	"context"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// etcd's own client over gRPC; goroutines are spread over the connections.
type etcdTarget struct {
	connections []*clientv3.Client
}

func openEtcd(endpoints []string, conns int) (target, error) {
	to := &etcdTarget{}
	for n := 0; n < conns; n++ {
		// One endpoint for each connection, in turn, so that the load is spread evenly.
		connection, err := clientv3.New(clientv3.Config{
			Endpoints:   []string{endpoints[n%len(endpoints)]},
			DialTimeout: 10 * time.Second,
			Logger:      zap.NewNop(),
		})
		if err != nil {
			return nil, err
		}
		to.connections = append(to.connections, connection)
	}
	return to, nil
}

func (to *etcdTarget) put(client int, key string, value string) error {
	_, err := to.connections[client%len(to.connections)].Put(context.Background(), key, value)
	return err
}

func (to *etcdTarget) close() {
	for _, connection := range to.connections {
		_ = connection.Close()
	}
}
