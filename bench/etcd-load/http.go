package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Puts over HTTP/1.1 with kept connections, one for each client.
type httpTarget struct {
	endpoints []string
	makePut   func(endpoint string, key string, value string) *http.Request
	client    *http.Client
}

func openHTTP(endpoints []string, makePut func(string, string, string) *http.Request) target {
	transport := &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true}
	return &httpTarget{endpoints, makePut, &http.Client{Transport: transport}}
}

func (to *httpTarget) put(client int, key string, value string) error {
	answer, err := to.client.Do(to.makePut(to.endpoints[client%len(to.endpoints)], key, value))
	if err != nil {
		return err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("status %d: %s", answer.StatusCode, body)
	}
	return nil
}

func (to *httpTarget) close() {
	to.client.CloseIdleConnections()
}

func themisRequest(collection string) func(string, string, string) *http.Request {
	return func(endpoint string, key string, value string) *http.Request {
		url := "http://" + endpoint + "/entity/" + collection + "%2F" + key
		return jsonRequest(http.MethodPut, url, `{"value":"`+value+`"}`)
	}
}

func gatewayRequest(endpoint string, key string, value string) *http.Request {
	encode := base64.StdEncoding.EncodeToString
	body := `{"key":"` + encode([]byte(key)) + `","value":"` + encode([]byte(value)) + `"}`
	return jsonRequest(http.MethodPost, "http://"+endpoint+"/v3/kv/put", body)
}

func jsonRequest(method string, url string, body string) *http.Request {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("content-type", "application/json")
	return request
}
