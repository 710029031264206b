// Writes one endpoint with etcd's official Go package, and keeps it until its input ends.
//
//	main ETCD_ADDRESS SERVICE NAME INSTANCE_ADDRESS WEIGHT
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/naming/endpoints"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "main ETCD_ADDRESS SERVICE NAME INSTANCE_ADDRESS WEIGHT")
		os.Exit(2)
	}
	weight, err := strconv.Atoi(os.Args[5])
	must(err)
	ctx := context.Background()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{os.Args[1]}, DialTimeout: 5 * time.Second})
	must(err)
	defer client.Close()
	lease, err := client.Grant(ctx, 2)
	must(err)
	alive, err := client.KeepAlive(ctx, lease.ID)
	must(err)
	go func() {
		for range alive {
		}
	}()
	manager, err := endpoints.NewManager(client, os.Args[2])
	must(err)
	endpoint := endpoints.Endpoint{Addr: os.Args[4], Metadata: map[string]any{"weight": weight}}
	must(manager.AddEndpoint(ctx, os.Args[2]+"/"+os.Args[3], endpoint, clientv3.WithLease(lease.ID)))

	// What the official package reads there, written by whoever.
	listed, err := manager.List(ctx)
	must(err)
	for key, found := range listed {
		fmt.Println(key, found.Addr, found.Metadata)
	}
	fmt.Println("written")
	_, _ = io.Copy(io.Discard, os.Stdin)
	must(manager.DeleteEndpoint(ctx, os.Args[2]+"/"+os.Args[3]))
}
